import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { extractDriver } from '../../../harness/assets/derive/extract-drivers.ts';
import { inspectBytes } from '../../../harness/assets/inspect/inspect.ts';
import { HarnessError } from '../../../harness/model/errors.ts';
import { expectAnswer, smallBudget } from '../../assets/expect-answer.ts';
import { found } from '../../assets/found.ts';
import { seeded } from '../../assets/seeded.ts';
import { hostSet } from './host.ts';

const mebibyte = 1 << 20;

/** A few bytes changed, mostly where the headers are; sometimes cut. */
function mutate(original: Buffer, random: (below: number) => number, heads: readonly number[]): Buffer {
  const bytes = Buffer.from(original);
  const interesting = [0, 1, 0x7f, 0x80, 0xff];
  for (let changes = 1 + random(6); changes > 0; changes--) {
    const head = heads[random(heads.length)] as number;
    const at = random(4) === 0 ? random(bytes.length) : Math.min(head + random(96), bytes.length - 1);
    bytes[at] = random(2) === 0 ? random(256) : (interesting[random(interesting.length)] as number);
  }
  return random(5) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
}

const offsetsOf = (bytes: Buffer, texts: readonly string[]) =>
  texts.flatMap((text) => {
    const found: number[] = [0];
    for (
      let at = bytes.indexOf(text, 0, 'latin1');
      at >= 0 && found.length < 8;
      at = bytes.indexOf(text, at + 1, 'latin1')
    ) {
      found.push(Math.max(0, at - 40));
    }
    return found;
  });

const host = await hostSet();
const rom = found(await host.rom({ nic: 'e1000', kind: 'bundled', arch: 'x86_64', interface: 'uefi' })).path;
const snponly = found(host.nbp({ secondStage: 'snponly', arch: 'x86_64', interface: 'uefi' })).path;
const undionly = found(host.nbp({ secondStage: 'undionly', arch: 'x86_64', interface: 'bios' })).path;
const ovmf = found(host.firmware({ firmware: 'ovmf', arch: 'x86_64', secureBoot: 'off' })).code as string;

describe('real files, damaged, get an answer', () => {
  test.each([
    ['a combined option ROM', rom, 150],
    ['an EFI application', snponly, 100],
    ['a BIOS network boot program', undionly, 100],
  ])('%s, mutated', async (_, path, rounds) => {
    const original = await readFile(path);
    const random = seeded(3);
    const heads = offsetsOf(original, ['PCIR', '$PnP', 'UNDI', 'PE\0\0', '\xf1\x0e\0\0']);
    for (let round = 0; round < rounds; round++) expectAnswer(mutate(original, random, heads));
  });

  test('a firmware image, mutated', { timeout: 120_000 }, async () => {
    const original = await readFile(ovmf);
    const random = seeded(4);
    const heads = offsetsOf(original, ['_FVH', '\x98\x58\x4e\xee']);
    for (let round = 0; round < 12; round++) {
      const bytes = mutate(original, random, heads);
      expectAnswer(bytes);
    }
  });

  test('a volume that says it holds itself, over and over, comes to an end', async () => {
    const original = await readFile(ovmf);
    const volume = original.subarray(0, 72);
    const nested = Buffer.concat(Array.from({ length: 40_000 }, () => volume));
    expectAnswer(nested);
  });

  test('a header that promises a flood is refused before it comes', async () => {
    const original = await readFile(ovmf);
    const lzma = original.indexOf(Buffer.from('9858 4eee 1439 5942 9d6e dc7b d794 03cf'.replaceAll(' ', ''), 'hex'));
    const flood = Buffer.from(original);
    // After GUID, data offset and attributes come LZMA's properties (5) and the length.
    flood.writeUInt32LE(150 * mebibyte, lzma + 16 + 4 + 5);
    const result = inspectBytes(flood);
    expect(result).toMatchObject({ type: 'firmware', problems: [expect.stringMatching(/more than 64 MiB/)] });
  });

  test('extraction from a damaged image is refused', async () => {
    const original = await readFile(ovmf);
    expect(() => extractDriver(original.subarray(0, 200_000), 'VirtioNetDxe', smallBudget())).toThrow(HarnessError);
  });
});
