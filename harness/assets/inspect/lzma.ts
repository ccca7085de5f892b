import type { Budget } from './budget.ts';
import { Malformed, need } from './malformed.ts';

const headerBytes = 13;
const probabilityBits = 11;
const half = 1 << (probabilityBits - 1);
const moveBits = 5;
const minMatch = 2;
const matchAlign = 4;
const posModels = 14;
const fullDistances = 128;

/** The range decoder (LZMA specification by I. Pavlov, "Range Decoder"). */
class RangeDecoder {
  private range = 0xffffffff;
  private code = 0;
  private position: number;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer, start: number) {
    need(bytes, start, 5, 'LZMA data');
    if (bytes[start] !== 0) throw new Malformed('LZMA data does not start with a zero');
    this.bytes = bytes;
    this.code = bytes.readUInt32BE(start + 1);
    this.position = start + 5;
  }

  private normalize(): void {
    if (this.range >= 0x1000000) return;
    if (this.position >= this.bytes.length) throw new Malformed('LZMA data is cut short');
    this.range = (this.range << 8) >>> 0;
    this.code = ((this.code << 8) | (this.bytes[this.position++] as number)) >>> 0;
  }

  bit(model: Uint16Array, index: number): 0 | 1 {
    const probability = model[index] as number;
    const bound = (this.range >>> probabilityBits) * probability;
    if (this.code < bound) {
      this.range = bound;
      model[index] = probability + (((1 << probabilityBits) - probability) >>> moveBits);
      this.normalize();
      return 0;
    }
    this.range -= bound;
    this.code -= bound;
    model[index] = probability - (probability >>> moveBits);
    this.normalize();
    return 1;
  }

  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.range >>>= 1;
      const bit = this.code >= this.range ? 1 : 0;
      if (bit === 1) this.code -= this.range;
      this.normalize();
      value = ((value << 1) | bit) >>> 0;
    }
    return value;
  }

  tree(model: Uint16Array, base: number, bits: number): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.bit(model, base + node);
    return node - (1 << bits);
  }

  reverseTree(model: Uint16Array, base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(model, base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }
}

const models = (count: number) => new Uint16Array(count).fill(half);

/** Match lengths: 8 short by position, 8 middle by position, 256 long. */
class LengthDecoder {
  private readonly choice = models(2);
  private readonly low = models(16 << 3);
  private readonly middle = models(16 << 3);
  private readonly high = models(256);

  read(input: RangeDecoder, posState: number): number {
    if (input.bit(this.choice, 0) === 0) return input.tree(this.low, posState << 3, 3);
    if (input.bit(this.choice, 1) === 0) return 8 + input.tree(this.middle, posState << 3, 3);
    return 16 + input.tree(this.high, 0, 8);
  }
}

const afterLiteral = (state: number) => (state < 4 ? 0 : state < 10 ? state - 3 : state - 6);

/**
 * The "LZMA alone" format that edk2 puts into GUID-defined sections: properties, dictionary size, 64-bit size, stream.
 * Throws Malformed. Own code because the few npm decoders are unmaintained, and this format is old and will not change.
 */
export function decompressLzma(bytes: Buffer, budget: Budget): Buffer {
  need(bytes, 0, headerBytes, 'the LZMA header');
  const properties = bytes[0] as number;
  if (properties >= 9 * 5 * 5) throw new Malformed('the LZMA header has impossible properties');
  const literalContextBits = properties % 9;
  const literalPositionMask = (1 << (Math.floor(properties / 9) % 5)) - 1;
  const positionMask = (1 << Math.floor(properties / 45)) - 1;
  const size = bytes.readUInt32LE(5) + bytes.readUInt32LE(9) * 2 ** 32;
  // Sizes unknown beforehand (all ones) do not occur in firmware, and fall to the budget with the other lies.
  budget.decompress(size);

  const input = new RangeDecoder(bytes, headerBytes);
  const output = Buffer.alloc(size);
  const literals = models(0x300 << (literalContextBits + (Math.floor(properties / 9) % 5)));
  const isMatch = models(12 << 4);
  const isRep = models(12);
  const isRep0 = models(12);
  const isRep1 = models(12);
  const isRep2 = models(12);
  const isRep0Long = models(12 << 4);
  const slots = models(4 << 6);
  const positions = models(1 + fullDistances - posModels);
  const align = models(1 << matchAlign);
  const matchLength = new LengthDecoder();
  const repLength = new LengthDecoder();
  let state = 0;
  let rep0 = 0;
  let rep1 = 0;
  let rep2 = 0;
  let rep3 = 0;

  const readLiteral = (at: number): number => {
    const previous = at > 0 ? (output[at - 1] as number) : 0;
    const context = ((at & literalPositionMask) << literalContextBits) + (previous >> (8 - literalContextBits));
    const base = 0x300 * context;
    let symbol = 1;
    if (state >= 7) {
      let matched = output[at - rep0 - 1] as number;
      do {
        const matchBit = (matched >> 7) & 1;
        matched <<= 1;
        const bit = input.bit(literals, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | input.bit(literals, base + symbol);
    return symbol & 0xff;
  };

  const readDistance = (length: number): number => {
    const slot = input.tree(slots, Math.min(length, 3) << 6, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = ((2 | (slot & 1)) << bits) >>> 0;
    if (slot < posModels) return base + input.reverseTree(positions, base - slot, bits);
    const high = (input.direct(bits - matchAlign) << matchAlign) >>> 0;
    return base + high + input.reverseTree(align, 0, matchAlign);
  };

  for (let at = 0; at < size; ) {
    const posState = at & positionMask;
    if (input.bit(isMatch, (state << 4) + posState) === 0) {
      output[at] = readLiteral(at);
      at++;
      state = afterLiteral(state);
      continue;
    }
    let length: number;
    if (input.bit(isRep, state) === 0) {
      rep3 = rep2;
      rep2 = rep1;
      rep1 = rep0;
      length = matchLength.read(input, posState);
      state = state < 7 ? 7 : 10;
      rep0 = readDistance(length);
      if (rep0 === 0xffffffff) throw new Malformed('LZMA data ends before its size');
    } else {
      if (at === 0) throw new Malformed('LZMA data repeats what is not there');
      if (input.bit(isRep0, state) === 0) {
        if (input.bit(isRep0Long, (state << 4) + posState) === 0) {
          state = state < 7 ? 9 : 11;
          if (rep0 >= at) throw new Malformed('LZMA data points before its start');
          output[at] = output[at - rep0 - 1] as number;
          at++;
          continue;
        }
      } else {
        let distance = rep1;
        if (input.bit(isRep1, state) === 1) {
          distance = rep2;
          if (input.bit(isRep2, state) === 1) {
            distance = rep3;
            rep3 = rep2;
          }
          rep2 = rep1;
        }
        rep1 = rep0;
        rep0 = distance;
      }
      length = repLength.read(input, posState);
      state = state < 7 ? 8 : 11;
    }
    if (rep0 >= at) throw new Malformed('LZMA data points before its start');
    for (let end = Math.min(at + length + minMatch, size); at < end; at++) output[at] = output[at - rep0 - 1] as number;
  }
  return output;
}
