import { MalformedFile, need } from './malformed.ts';

const probabilityBits = 11;
const half = 1 << (probabilityBits - 1);
const moveBits = 5;

/** The range decoder (LZMA specification by I. Pavlov, "Range Decoder"). */
export class RangeDecoder {
  private range = 0xffffffff;
  private code = 0;
  private position: number;
  private readonly bytes: Buffer;

  constructor(bytes: Buffer, start: number) {
    need(bytes, start, 5, 'LZMA data');
    if (bytes[start] !== 0) throw new MalformedFile('LZMA data does not start with a zero');
    this.bytes = bytes;
    this.code = bytes.readUInt32BE(start + 1);
    this.position = start + 5;
  }

  private normalize(): void {
    if (this.range >= 0x1000000) return;
    if (this.position >= this.bytes.length) throw new MalformedFile('LZMA data is truncated');
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

export const models = (count: number) => new Uint16Array(count).fill(half);

/** Match lengths: 8 short by position, 8 middle by position, 256 long. */
export class LengthDecoder {
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
