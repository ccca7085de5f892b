import { expect, test } from 'vitest';
import { encodeCpio } from '../../scripts/payloads/cpio.mjs';
import { encodeFat12 } from '../../scripts/payloads/fat12.mjs';

/** Reads a newc archive back, by the format's own rules. */
function* cpioEntries(archive) {
  for (let at = 0; at < archive.length; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index) => Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const [mode, bytes, nameBytes] = [field(1), field(6), field(11)];
    const name = archive.toString('latin1', at + 110, at + 110 + nameBytes - 1);
    const dataAt = (at + 110 + nameBytes + 3) & ~3;
    yield { name, mode, device: [field(9), field(10)], data: archive.subarray(dataAt, dataAt + bytes).toString() };
    at = (dataAt + bytes + 3) & ~3;
  }
}

test('a cpio archive holds files, folders and devices, padded and ended', () => {
  const archive = encodeCpio([
    { name: 'dev', type: 'directory', mode: 0o755 },
    { name: 'dev/console', type: 'character', mode: 0o600, device: [5, 1] },
    { name: 'init', type: 'file', mode: 0o755, data: Buffer.from('hello') },
  ]);
  expect([...cpioEntries(archive)]).toEqual([
    { name: 'dev', mode: 0o040755, device: [0, 0], data: '' },
    { name: 'dev/console', mode: 0o020600, device: [5, 1], data: '' },
    { name: 'init', mode: 0o100755, device: [0, 0], data: 'hello' },
    { name: 'TRAILER!!!', mode: 0o100000, device: [0, 0], data: '' },
  ]);
  expect(archive.length % 4).toBe(0);
});

const sectorBytes = 512;

function fatChain(image, first) {
  const chain = [];
  for (let cluster = first; cluster < 0xff8; ) {
    chain.push(cluster);
    const at = sectorBytes + Math.floor(cluster * 1.5);
    const pair = image.readUInt16LE(at);
    cluster = cluster % 2 === 1 ? pair >> 4 : pair & 0xfff;
  }
  return chain;
}

test('a file of several clusters is found in its folder and read back whole', () => {
  const content = Buffer.from(Array.from({ length: 1300 }, (_, i) => i % 251));
  const image = encodeFat12(Buffer.alloc(sectorBytes, 0x90), {
    EFI: { 'A.TXT': Buffer.from('a'), 'BOOTX64.EFI': content },
  });
  const data = (cluster) => image.subarray((8 + cluster - 2) * sectorBytes, (9 + cluster - 2) * sectorBytes);
  const root = image.subarray(7 * sectorBytes);
  expect(root.toString('latin1', 0, 11)).toBe('EFI        ');
  const folder = data(root.readUInt16LE(26));
  const names = [0, 1, 2, 3].map((i) => folder.toString('latin1', 32 * i, 32 * i + 11));
  expect(names).toEqual(['.          ', '..         ', 'A       TXT', 'BOOTX64 EFI']);
  const entry = folder.subarray(3 * 32);
  const chain = fatChain(image, entry.readUInt16LE(26));
  expect(chain).toHaveLength(3);
  expect(Buffer.concat(chain.map(data)).subarray(0, entry.readUInt32LE(28))).toEqual(content);
});

test('the boot sector keeps its code around the parameter block', () => {
  const image = encodeFat12(Buffer.alloc(sectorBytes, 0x90), {});
  expect(image.readUInt16LE(11)).toBe(sectorBytes);
  expect([image[0], image[62], image[511]]).toEqual([0x90, 0x90, 0x90]);
});
