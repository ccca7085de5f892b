import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeUki, type UkiParts } from '../../harness/assets/derive/uki.ts';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { inspectPe } from '../../harness/assets/inspect/pe.ts';
import { isMissing } from '../../harness/assets/sets/artefact-set.ts';
import { folderOfFile } from '../temporary-folder.ts';

/** A PE32+ application with one section and headers of `headerBytes`. */
function stubImage(headerBytes: number): Buffer {
  const image = Buffer.alloc(headerBytes + 0x200);
  image.write('MZ');
  image.writeUInt32LE(0x40, 0x3c);
  image.write('PE\0\0', 0x40);
  image.writeUInt16LE(0xaa64, 0x44);
  image.writeUInt16LE(1, 0x46);
  image.writeUInt16LE(240, 0x54);
  const optional = 0x58;
  image.writeUInt16LE(0x20b, optional);
  for (const [offset, value] of [
    [32, 0x1000],
    [36, 0x200],
    [56, 0x2000],
    [60, headerBytes],
  ] as const)
    image.writeUInt32LE(value, optional + offset);
  image.writeUInt16LE(10, optional + 68);
  const section = optional + 240;
  image.write('.text', section);
  for (const [i, value] of [0x123, 0x1000, 0x200, headerBytes].entries())
    image.writeUInt32LE(value, section + 8 + i * 4);
  return image;
}

const folder = folderOfFile();
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  await writeFile(at('stub'), stubImage(0x400));
  await writeFile(at('cramped'), stubImage(0x180));
  await writeFile(at('text'), 'no program at all');
  await writeFile(at('kernel'), 'k'.repeat(5000));
  await writeFile(at('initrd'), 'first');
  await writeFile(at('overlay'), 'second');
});

const make = (parts: Partial<UkiParts> = {}) =>
  makeUki(
    {
      stub: at('stub'),
      kernel: at('kernel'),
      initrds: [at('initrd'), at('overlay')],
      commandLine: 'console=ttyS0 nbh.nonce=',
      ...parts,
    },
    { cacheDir: at('cache'), fingerprints: createFingerprints() },
  );

async function made(parts?: Partial<UkiParts>) {
  const uki = await make(parts);
  if (isMissing(uki)) throw new Error(uki.missing);
  return uki;
}

describe('a unified kernel image', () => {
  test('has command line, initrds in their order and kernel where the stub and firmware look for them', async () => {
    const { path } = await made();
    const bytes = await readFile(path);
    const { sections, imageBytes } = inspectPe(bytes);
    const content = Object.fromEntries(
      sections.map(({ name, rawOffset, virtualBytes }) => [
        name,
        bytes.toString('latin1', rawOffset, rawOffset + virtualBytes),
      ]),
    );
    expect(content).toMatchObject({ '.initrd': 'firstsecond', '.linux': 'k'.repeat(5000) });
    expect(content['.cmdline']).toMatch(/^console=ttyS0 nbh\.nonce=\0+$/);
    const ends = sections.map(({ virtualAddress, virtualBytes }) => virtualAddress + virtualBytes);
    for (const [i, { virtualAddress, rawOffset }] of sections.slice(1).entries()) {
      expect([virtualAddress % 0x1000, rawOffset % 0x200]).toEqual([0, 0]);
      expect(virtualAddress).toBeGreaterThanOrEqual(ends[i] as number);
    }
    expect(imageBytes).toBeGreaterThanOrEqual(ends.at(-1) as number);
  });

  test('says where the nonce goes: behind its name, before the end of the command line', async () => {
    const { path, nonce } = await made();
    const bytes = await readFile(path);
    const [offset = 0] = nonce.offsets;
    expect(bytes.toString('latin1', offset - 10, offset)).toBe('nbh.nonce=');
    expect(bytes.subarray(offset, offset + nonce.bytes).every((byte) => byte === 0)).toBe(true);
  });

  test('is made once, and anew for another command line', async () => {
    const [one, same, other] = [await made(), await made(), await made({ commandLine: 'quiet nbh.nonce=' })];
    expect(same).toEqual(one);
    expect(other.path).not.toBe(one.path);
  });

  test.each([
    ['cramped', /room for section headers/],
    ['text', /not a PE image/],
  ])('cannot be made on a stub that is %s, and the reason says why', async (stub, reason) => {
    expect(await make({ stub: at(stub) })).toEqual({ missing: expect.stringMatching(reason) });
  });
});
