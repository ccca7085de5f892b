import type { Budget } from './budget.ts';
import { MalformedFile, need } from './malformed.ts';

/** UEFI's algorithm and edk2's variant differ only in the width of one length field. */
const positionCountBits = { uefi: 4, tiano: 5 } as const;
export type EfiAlgorithm = keyof typeof positionCountBits;

const headerBytes = 8;
const windowBits = 13;
const minMatch = 3;
const charCodes = 510;
const charCountBits = 9;
const positionCodes = { uefi: windowBits + 1, tiano: 31 } as const;
const extraCodes = 19;
const extraCountBits = 5;

/** Bits, most significant first. A few zeros follow the end, because the reference decoder reads ahead. */
class BitReader {
  private position: number;
  private bits = 0;
  private count = 0;
  private readonly bytes: Buffer;
  private readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }

  read(count: number): number {
    let value = 0;
    for (let left = count; left > 0; ) {
      if (this.count === 0) this.fill();
      const taken = Math.min(left, this.count);
      this.count -= taken;
      value = (value << taken) | ((this.bits >>> this.count) & ((1 << taken) - 1));
      left -= taken;
    }
    return value;
  }

  private fill(): void {
    if (this.position >= this.end + 4) throw new MalformedFile('compressed data is truncated');
    this.bits = this.position < this.end ? (this.bytes[this.position] as number) : 0;
    this.count = 8;
    this.position++;
  }
}

/** A canonical Huffman code: codes of one length are consecutive, in the order of their symbols. */
interface Code {
  /** The one symbol that needs no bits. */
  readonly only: number | undefined;
  readonly countOfLength: Uint16Array;
  readonly symbols: Uint16Array;
}

function buildCode(lengths: Uint8Array): Code {
  const countOfLength = new Uint16Array(17);
  for (const length of lengths) if (length > 0) countOfLength[length] = (countOfLength[length] as number) + 1;
  let room = 1;
  for (let length = 1; length <= 16; length++) {
    room = room * 2 - (countOfLength[length] as number);
    if (room < 0) throw new MalformedFile('compressed data has an impossible Huffman code');
  }
  const next = new Uint16Array(18);
  for (let length = 1; length <= 16; length++) {
    next[length + 1] = (next[length] as number) + (countOfLength[length] as number);
  }
  const symbols = new Uint16Array(lengths.length);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    symbols[next[length] as number] = symbol;
    next[length] = (next[length] as number) + 1;
  }
  return { only: undefined, countOfLength, symbols };
}

const single = (symbol: number): Code => ({
  only: symbol,
  countOfLength: new Uint16Array(17),
  symbols: new Uint16Array(0),
});

function decodeSymbol(input: BitReader, code: Code): number {
  if (code.only !== undefined) return code.only;
  let value = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= 16; length++) {
    value |= input.read(1);
    const count = code.countOfLength[length] as number;
    if (value - first < count) return code.symbols[index + value - first] as number;
    index += count;
    first = (first + count) << 1;
    value <<= 1;
  }
  throw new MalformedFile('compressed data has an unassigned Huffman code');
}

/** Lengths of the extra set and of the position set (UEFI specification, §19.2.3.2). */
function readShortCode(input: BitReader, codes: number, countBits: number, gapAfter: number): Code {
  const count = input.read(countBits);
  if (count === 0) return single(input.read(countBits));
  if (count > codes) throw new MalformedFile('compressed data has too many code lengths');
  const lengths = new Uint8Array(codes);
  for (let i = 0; i < count; ) {
    let length = input.read(3);
    if (length === 7)
      while (input.read(1) === 1)
        if (++length > 16) throw new MalformedFile('compressed data has a code length over 16');
    lengths[i++] = length;
    if (i === gapAfter) i += input.read(2);
  }
  return buildCode(lengths);
}

/** Lengths of the char&len set, themselves coded with the extra set. */
function readCharCode(input: BitReader, extra: Code): Code {
  const count = input.read(charCountBits);
  if (count === 0) return single(input.read(charCountBits));
  if (count > charCodes) throw new MalformedFile('compressed data has too many code lengths');
  const lengths = new Uint8Array(charCodes);
  for (let i = 0; i < count; ) {
    const symbol = decodeSymbol(input, extra);
    if (symbol === 0) i += 1;
    else if (symbol === 1) i += input.read(4) + 3;
    else if (symbol === 2) i += input.read(charCountBits) + 20;
    else lengths[i++] = symbol - 2;
  }
  return buildCode(lengths);
}

/**
 * The EFI 1.1 compression of option ROMs and firmware files (UEFI specification, §19 "Compression Algorithm
 * Specification"): an 8-byte header with both sizes, then LZ77 with Huffman codes per block. Throws MalformedFile.
 */
export function decompressEfi(bytes: Buffer, algorithm: EfiAlgorithm, budget: Budget): Buffer {
  need(bytes, 0, headerBytes, 'the compression header');
  const compressedBytes = bytes.readUInt32LE(0);
  const originalBytes = bytes.readUInt32LE(4);
  need(bytes, headerBytes, compressedBytes, 'compressed data');
  budget.decompress(originalBytes);

  const input = new BitReader(bytes, headerBytes, headerBytes + compressedBytes);
  const output = Buffer.alloc(originalBytes);
  let at = 0;
  while (at < originalBytes) {
    let left = input.read(16);
    if (left === 0) throw new MalformedFile('compressed data has an empty block');
    const extra = readShortCode(input, extraCodes, extraCountBits, 3);
    const chars = readCharCode(input, extra);
    const positions = readShortCode(input, positionCodes[algorithm], positionCountBits[algorithm], -1);
    for (; left > 0 && at < originalBytes; left--) {
      const symbol = decodeSymbol(input, chars);
      if (symbol < 256) {
        output[at++] = symbol;
        continue;
      }
      const length = symbol - 256 + minMatch;
      const width = decodeSymbol(input, positions);
      const distance = (width > 1 ? 2 ** (width - 1) + input.read(width - 1) : width) + 1;
      if (distance > at) throw new MalformedFile('compressed data refers to bytes before its start');
      for (let end = Math.min(at + length, originalBytes); at < end; at++) output[at] = output[at - distance] as number;
    }
  }
  return output;
}
