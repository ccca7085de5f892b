import type { Budget } from './budget.ts';
import { LengthDecoder, models, RangeDecoder } from './lzma-range.ts';
import { MalformedFile, need } from './malformed.ts';

const headerBytes = 13;
const minMatch = 2;
const matchAlign = 4;
const posModels = 14;
const fullDistances = 128;
/** Instead of a distance: end of stream. */
const endMarker = 0xffffffff;

interface Header {
  readonly literalContextBits: number;
  readonly literalPositionBits: number;
  readonly positionBits: number;
  readonly bytes: number;
}

function readHeader(bytes: Buffer): Header {
  need(bytes, 0, headerBytes, 'the LZMA header');
  const properties = bytes[0] as number;
  if (properties >= 9 * 5 * 5) throw new MalformedFile('the LZMA header has impossible properties');
  return {
    literalContextBits: properties % 9,
    literalPositionBits: Math.floor(properties / 9) % 5,
    positionBits: Math.floor(properties / 45),
    bytes: bytes.readUInt32LE(5) + bytes.readUInt32LE(9) * 2 ** 32,
  };
}

/** Next states after a literal, a match, a repeated match and a single repeated byte: 7 and above follow a match. */
const afterLiteral = (state: number) => (state < 4 ? 0 : state < 10 ? state - 3 : state - 6);
const afterMatch = (state: number) => (state < 7 ? 7 : 10);
const afterRepeat = (state: number) => (state < 7 ? 8 : 11);
const afterShortRepeat = (state: number) => (state < 7 ? 9 : 11);

/** One stream (LZMA specification by I. Pavlov, "The main loop of decoder"). */
class LzmaStream {
  private readonly output: Buffer;
  private at = 0;
  private state = 0;
  /** The last four distances, minus one, latest first. */
  private rep0 = 0;
  private rep1 = 0;
  private rep2 = 0;
  private rep3 = 0;

  private readonly literals: Uint16Array;
  private readonly isMatch = models(12 << 4);
  private readonly isRep = models(12);
  private readonly isRep0 = models(12);
  private readonly isRep1 = models(12);
  private readonly isRep2 = models(12);
  private readonly isRep0Long = models(12 << 4);
  private readonly slots = models(4 << 6);
  private readonly positions = models(1 + fullDistances - posModels);
  private readonly align = models(1 << matchAlign);
  private readonly matchLength = new LengthDecoder();
  private readonly repLength = new LengthDecoder();

  private readonly input: RangeDecoder;
  private readonly literalContextBits: number;
  private readonly literalPositionMask: number;
  private readonly positionMask: number;

  constructor(input: RangeDecoder, { literalContextBits, literalPositionBits, positionBits, bytes }: Header) {
    this.input = input;
    this.literalContextBits = literalContextBits;
    this.literalPositionMask = (1 << literalPositionBits) - 1;
    this.positionMask = (1 << positionBits) - 1;
    this.literals = models(0x300 << (literalContextBits + literalPositionBits));
    this.output = Buffer.alloc(bytes);
  }

  decode(): Buffer {
    while (this.at < this.output.length) {
      const posState = this.at & this.positionMask;
      if (this.input.bit(this.isMatch, (this.state << 4) + posState) === 0) this.literal();
      else if (this.input.bit(this.isRep, this.state) === 0) this.match(posState);
      else this.repeat(posState);
    }
    return this.output;
  }

  private literal(): void {
    const { input, output, literals, at } = this;
    const previous = at > 0 ? (output[at - 1] as number) : 0;
    const context =
      ((at & this.literalPositionMask) << this.literalContextBits) + (previous >> (8 - this.literalContextBits));
    const base = 0x300 * context;
    let symbol = 1;
    if (this.state >= 7) {
      let matched = output[at - this.rep0 - 1] as number;
      do {
        const matchBit = (matched >> 7) & 1;
        matched <<= 1;
        const bit = input.bit(literals, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = (symbol << 1) | input.bit(literals, base + symbol);
    output[this.at++] = symbol & 0xff;
    this.state = afterLiteral(this.state);
  }

  private match(posState: number): void {
    this.rep3 = this.rep2;
    this.rep2 = this.rep1;
    this.rep1 = this.rep0;
    const length = this.matchLength.read(this.input, posState);
    this.state = afterMatch(this.state);
    this.rep0 = this.distance(length);
    if (this.rep0 === endMarker) throw new MalformedFile('LZMA data ends before its size');
    this.copy(length + minMatch);
  }

  private repeat(posState: number): void {
    const { input, state } = this;
    if (this.at === 0) throw new MalformedFile('LZMA data repeats a match before the first one');
    if (input.bit(this.isRep0, state) === 1) this.takeEarlierDistance();
    else if (input.bit(this.isRep0Long, (state << 4) + posState) === 0) {
      this.state = afterShortRepeat(state);
      this.copy(1);
      return;
    }
    const length = this.repLength.read(input, posState);
    this.state = afterRepeat(state);
    this.copy(length + minMatch);
  }

  private takeEarlierDistance(): void {
    const { input, state } = this;
    let distance = this.rep1;
    if (input.bit(this.isRep1, state) === 1) {
      distance = this.rep2;
      if (input.bit(this.isRep2, state) === 1) {
        distance = this.rep3;
        this.rep3 = this.rep2;
      }
      this.rep2 = this.rep1;
    }
    this.rep1 = this.rep0;
    this.rep0 = distance;
  }

  private distance(length: number): number {
    const { input } = this;
    const slot = input.tree(this.slots, Math.min(length, 3) << 6, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = ((2 | (slot & 1)) << bits) >>> 0;
    if (slot < posModels) return base + input.reverseTree(this.positions, base - slot, bits);
    const high = (input.direct(bits - matchAlign) << matchAlign) >>> 0;
    return base + high + input.reverseTree(this.align, 0, matchAlign);
  }

  private copy(length: number): void {
    const { output, rep0 } = this;
    let { at } = this;
    if (rep0 >= at) throw new MalformedFile('LZMA data refers to bytes before its start');
    for (const end = Math.min(at + length, output.length); at < end; at++) {
      output[at] = output[at - rep0 - 1] as number;
    }
    this.at = at;
  }
}

/**
 * The "LZMA alone" format that edk2 puts into GUID-defined sections: properties, dictionary size, 64-bit size, stream.
 * Throws MalformedFile. Own code because the few npm decoders are unmaintained, and this format is old and will not change.
 */
export function decompressLzma(bytes: Buffer, budget: Budget): Buffer {
  const header = readHeader(bytes);
  // Unknown sizes (all ones) do not occur in firmware, and exceed the budget like other bogus sizes.
  budget.decompress(header.bytes);
  return new LzmaStream(new RangeDecoder(bytes, headerBytes), header).decode();
}
