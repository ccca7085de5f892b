import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { createInspections } from '../../harness/assets/inspections.ts';
import { makeOptionRom } from '../../harness/assets/rom/make.ts';
import { scanFolder } from '../../harness/assets/sets/scan.ts';
import { loadSets } from '../../harness/assets/sets/sets.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { craftPe } from './crafted-files.ts';

const folder = folderOfFile();

const fingerprints = createFingerprints();
const sources = { fingerprints, inspections: createInspections({ fingerprints }) };

function place(name: string, files: Record<string, Buffer | string>): string {
  const root = join(folder, name);
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), bytes);
  }
  return root;
}

const x64 = 0x8664;
const aa64 = 0xaa64;

/** iPXE cut down to a driver, by the strings in it. */
const driverRom = (deviceId: number, machine = x64) =>
  makeOptionRom({ vendorId: 0x8086, deviceId, images: [{ kind: 'efi', pe: craftPe({ machine }).bytes }] });

describe('a folder', () => {
  it('is a set of what is found in its files, whatever they are called', async () => {
    const root = place('build', {
      'bin/one.efirom': driverRom(0x100e, aa64),
      'bin/deeper/app.efi': craftPe({ subsystem: 10 }).bytes,
      'obj/x.o': '\x7fELF',
      'readme.txt': 'hello',
    });
    const { manifest, unplaced, others } = await scanFolder(root, sources);
    expect(manifest.name).toBe('build');
    expect(manifest.roms).toEqual([
      { nic: 'e1000', kind: 'snp', arch: 'aarch64', path: 'bin/one.efirom' },
      { nic: 'e1000-82540em', kind: 'snp', arch: 'aarch64', path: 'bin/one.efirom' },
    ]);
    expect(manifest.nbps).toEqual([{ secondStage: 'ipxe', arch: 'x86_64', bios: false, path: 'bin/deeper/app.efi' }]);
    expect(unplaced).toEqual([]);
    expect(others).toBe(2);
  });

  it('is asked about where two files could be one thing, and takes neither', async () => {
    const root = place('two', {
      'a.rom': driverRom(0x10d3),
      'b.rom': Buffer.concat([driverRom(0x10d3), Buffer.alloc(512)]),
    });
    const { manifest, ambiguous } = await scanFolder(root, sources);
    expect(manifest.roms).toEqual([]);
    expect(ambiguous).toEqual([{ place: 'ROM of e1000e (snp, x86_64)', paths: ['a.rom', 'b.rom'] }]);
  });

  it('may have a file twice', async () => {
    const root = place('twice', { 'a.rom': driverRom(0x10d3) });
    cpSync(join(root, 'a.rom'), join(root, 'b.rom'));
    symlinkSync('a.rom', join(root, 'c.rom'));
    const { manifest, ambiguous } = await scanFolder(root, sources);
    expect(ambiguous).toEqual([]);
    expect(manifest.roms).toMatchObject([{ nic: 'e1000e', path: 'a.rom' }]);
  });

  it('has nothing that lies outside, and names what has no place with the reason', async () => {
    const elsewhere = place('elsewhere', { 'x.rom': driverRom(0x10d3) });
    const root = place('inside', {
      'unknown.rom': driverRom(0xbeef),
      'odd.efi': craftPe({ machine: aa64, subsystem: 12 }).bytes,
      'torn.efi': craftPe().bytes.subarray(0, 0x90),
    });
    symlinkSync(join(elsewhere, 'x.rom'), join(root, 'link.rom'));
    symlinkSync(root, join(root, 'loop'));
    const { manifest, unplaced } = await scanFolder(root, sources);
    expect(manifest.roms).toEqual([]);
    expect(Object.fromEntries(unplaced.map(({ path, reason }) => [path, reason]))).toMatchObject({
      'unknown.rom': 'QEMU has no NIC with the ids 8086:beef',
      'odd.efi': expect.stringContaining('runtime driver: `netboot rom make`'),
      'torn.efi': expect.stringContaining('damaged'),
    });
  });

  it('without a manifest is a set like any other, and has the rest from the host', async () => {
    const root = place('plain', { 'e.rom': driverRom(0x10d3) });
    const sets = await loadSets({ cacheDir: undefined, setDirs: [root], ...sources });
    expect(sets.nameOf.get(root)).toBe('plain');
    const set = await sets.get('plain');
    if ('missing' in set) throw new Error(set.missing);
    const query = { nic: 'e1000e', kind: 'snp', arch: 'x86_64', interface: 'uefi' } as const;
    expect(await set.rom(query)).toMatchObject({ path: join(root, 'e.rom'), set: 'plain' });
  });
});
