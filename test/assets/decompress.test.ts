import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createBudget } from '../../harness/assets/inspect/budget.ts';
import { decompressEfi } from '../../harness/assets/inspect/efi-decompress.ts';
import { decompressLzma } from '../../harness/assets/inspect/lzma.ts';
import { MalformedFile } from '../../harness/assets/inspect/malformed.ts';
import { undoX86Filter } from '../../harness/assets/inspect/x86-filter.ts';

const fixture = (name: string) => readFile(new URL(`../../fixtures/assets/${name}`, import.meta.url));

describe('LZMA', () => {
  const text = Buffer.concat([
    Buffer.from('DHCP TFTP HTTP iSCSI SNP UNDI; '.repeat(40)),
    Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  ]);

  test('literals, matches and repeats come back', async () => {
    expect(decompressLzma(await fixture('text.lzma'), createBudget()).equals(text)).toBe(true);
  });

  test('the x86 filter is undone', async () => {
    const filtered = decompressLzma(await fixture('code.f86'), createBudget());
    const code = await fixture('code.bin');
    expect(filtered.equals(code)).toBe(false);
    expect(undoX86Filter(filtered).equals(code)).toBe(true);
  });

  test('a stream cut anywhere is refused', async () => {
    const whole = await fixture('text.lzma');
    // The last bytes of a range coder's stream carry no symbol.
    for (let length = 0; length < whole.length - 5; length++) {
      expect(() => decompressLzma(whole.subarray(0, length), createBudget())).toThrow(MalformedFile);
    }
  });

  test('a size over the budget is refused before anything is made', async () => {
    const lying = Buffer.from(await fixture('text.lzma'));
    lying.writeUInt32LE(0xffffffff, 9);
    expect(() => decompressLzma(lying, createBudget())).toThrow('decompresses to more than');
  });
});

/** Bits, most significant first. */
function bits(...fields: readonly (readonly [value: number, width: number])[]): Buffer {
  const text = fields.map(([value, width]) => value.toString(2).padStart(width, '0')).join('');
  const groups = text.match(/.{1,8}/g) ?? [];
  return Buffer.from(groups.map((bits) => Number.parseInt(bits.padEnd(8, '0'), 2)));
}

function efiStream(originalBytes: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt32LE(originalBytes, 4);
  return Buffer.concat([header, payload]);
}

describe('EFI compression, streams written by hand after UEFI §19.2', () => {
  test('a block whose every symbol is the same literal', () => {
    const payload = bits([5, 16], [0, 5], [0, 5], [0, 9], [0x41, 9], [0, 4], [0, 4]);
    expect(decompressEfi(efiStream(5, payload), 'uefi', createBudget()).toString()).toBe('AAAAA');
    expect(() => decompressEfi(efiStream(5, payload).subarray(0, -1), 'uefi', createBudget())).toThrow('truncated');
  });

  test('two literals and a match that overlaps itself', () => {
    // Code lengths: "A" 2, "B" 2, a match of 7 (symbol 260) 1. The extra set codes them: 1 (a run), 2 (a long run), 3, 4.
    const extra = [
      [5, 5], // five lengths follow: for symbols 0 to 4
      [0, 3],
      [2, 3],
      [2, 3], // 0: none, 1: two bits, 2: two bits
      [0, 2], // no gap after the third
      [2, 3],
      [2, 3], // 3 and 4: two bits
    ] as const;
    const longRun = [0b01, 2],
      lengthOne = [0b10, 2],
      lengthTwo = [0b11, 2];
    const chars = [
      [261, 9], // lengths for symbols 0 to 260
      longRun,
      [0x41 - 20, 9], // 65 symbols without code
      lengthTwo,
      lengthTwo, // "A", "B"
      longRun,
      [260 - 0x43 - 20, 9], // up to 260
      lengthOne,
    ] as [number, number][];
    const positions = [
      [0, 4],
      [1, 4],
    ] as const; // one symbol, 1: a distance of 2
    // Canonical codes: symbol 260 is 0, "A" is 10, "B" is 11.
    const data = [
      [0b10, 2],
      [0b11, 2],
      [0b0, 1],
    ] as const;
    const payload = bits([3, 16], ...extra, ...chars, ...positions, ...data);
    expect(decompressEfi(efiStream(9, payload), 'uefi', createBudget()).toString()).toBe('ABABABABA');
  });

  test.each([
    [
      'a match before the start',
      4,
      bits([4, 16], [0, 5], [0, 5], [0, 9], [260, 9], [0, 4], [1, 4]),
      'before its start',
    ],
    ['an empty block', 4, bits([0, 16], [0, 32]), 'empty block'],
    ['a size over the budget', 1 << 30, bits([1, 16]), 'decompresses to more than'],
    ['more code lengths than there are symbols', 4, bits([4, 16], [31, 5]), 'too many code lengths'],
    [
      'a Huffman code with more leaves than it has room for',
      4,
      bits([4, 16], [3, 5], [1, 3], [1, 3], [1, 3]),
      'impossible Huffman code',
    ],
  ])('%s is refused', (_, originalBytes, payload, reason) => {
    expect(() => decompressEfi(efiStream(originalBytes, payload), 'uefi', createBudget())).toThrow(reason);
  });
});
