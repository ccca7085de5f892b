import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../../harness/assets/sets/artefact-set.ts';
import { machineFits } from '../../harness/assets/sets/machine-pattern.ts';
import { loadSets } from '../../harness/assets/sets/sets.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { found } from './found.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

async function put(path: string, contents: string | object = 'x'): Promise<void> {
  const at = join(folder, path);
  await mkdir(dirname(at), { recursive: true });
  await writeFile(at, typeof contents === 'string' ? contents : JSON.stringify(contents));
}

const reasonOf = (result: object) => (isMissing(result) ? result.missing : 'found');
/** A machine with nothing on it but what the test puts there. */
const bareHost = () => ({ env: { HOME: '/home/user' }, root: join(folder, 'root') });

async function ownSet(manifest: object) {
  await put('mine/set.json', manifest);
  const sets = await loadSets({ cacheDir: undefined, setDirs: [join(folder, 'mine')], host: bareHost() });
  return found(await sets.get('mine'));
}

describe("a user's folder", () => {
  test('offers what its manifest names, by paths relative to it', async () => {
    await put('mine/OVMF_CODE.fd');
    await put('mine/OVMF_VARS.fd');
    await put('mine/e1000.rom');
    const set = await ownSet({
      name: 'mine',
      packages: [{ name: 'ovmf', version: '1.2' }],
      firmware: [{ firmware: 'ovmf', arch: 'x86_64', code: 'OVMF_CODE.fd', vars: 'OVMF_VARS.fd', package: 'ovmf' }],
      roms: [{ nic: 'e1000', kind: 'snp', path: 'e1000.rom' }],
    });
    expect(set.firmware({ firmware: 'ovmf', arch: 'x86_64', secureBoot: 'off' })).toMatchObject({
      code: join(folder, 'mine/OVMF_CODE.fd'),
      package: { name: 'ovmf', version: '1.2' },
    });
    expect(await set.rom({ nic: 'e1000', kind: 'snp', arch: 'x86_64', interface: 'uefi' })).toMatchObject({
      path: join(folder, 'mine/e1000.rom'),
      byQemu: false,
    });
  });

  test('says what it has not', async () => {
    const set = await ownSet({ name: 'mine' });
    const query = { nic: 'e1000', arch: 'x86_64', interface: 'uefi' } as const;
    expect(reasonOf(await set.rom({ ...query, kind: 'snp' }))).toBe('no such ROM (snp, e1000) in set mine');
    expect(reasonOf(await set.rom({ ...query, kind: 'full', arch: 'aarch64' }))).toBe(
      'no such ROM (full, e1000, aarch64) in set mine',
    );
    expect(reasonOf(set.firmware({ firmware: 'ovmf', arch: 'x86_64', secureBoot: 'off' }))).toBe(
      'no ovmf for x86_64 in set mine',
    );
    expect(reasonOf(set.nbp({ secondStage: 'snponly', arch: 'aarch64', interface: 'uefi' }))).toBe(
      'no such NBP (snponly, aarch64, UEFI) in set mine',
    );
    expect(reasonOf(set.kernel('aarch64'))).toBe('no kernel for aarch64 in set mine');
  });

  test('uses the SeaBIOS that QEMU brings where it has none', async () => {
    const set = await ownSet({ name: 'mine' });
    expect(set.firmware({ firmware: 'seabios', arch: 'x86_64', secureBoot: 'off' })).toMatchObject({ code: undefined });
  });

  test('firmware that does not fit the machine is no answer', async () => {
    await put('mine/code.fd');
    const set = await ownSet({
      name: 'mine',
      firmware: [{ firmware: 'ovmf', arch: 'x86_64', code: 'code.fd', machines: ['pc-q35-*'] }],
    });
    const query = { firmware: 'ovmf', arch: 'x86_64', secureBoot: 'off' } as const;
    expect(reasonOf(set.firmware({ ...query, machine: 'q35' }))).toBe('found');
    expect(reasonOf(set.firmware({ ...query, machine: 'pc' }))).toContain('machine pc');
  });

  test.each([
    ['a wrong kind', { roms: [{ nic: 'e1000', kind: 'fulll', path: 'a' }] }, 'roms[0].kind'],
    ['an unknown field', { rom: [] }, 'rom'],
    ['a missing file', { kernels: [{ arch: 'x86_64', kernel: 'no-such-file' }] }, 'kernels[0].kernel: no such file'],
    [
      'a missing companion',
      { nbps: [{ secondStage: 'shim-grub', arch: 'x86_64', path: '.', companions: { g: 'b' } }] },
      'nbps[0].path',
    ],
    ['what is not a file', { kernels: [{ arch: 'x86_64', kernel: '/dev/zero' }] }, 'kernels[0].kernel: not a file'],
    ['a wrong type', { packages: [{ name: 'ovmf', version: 2026 }] }, 'packages[0].version'],
    ['a file for a folder', { bundledRoms: 'set.json' }, 'bundledRoms: not a folder'],
    [
      'an unknown package',
      { roms: [{ nic: 'e1000', kind: 'snp', path: 'set.json', package: 'p' }] },
      'roms[0].package',
    ],
  ])('%s is an error that names file and field', async (_, wrong, field) => {
    await put('mine/set.json', { name: 'mine', ...wrong });
    await expect(loadSets({ cacheDir: undefined, setDirs: [join(folder, 'mine')] })).rejects.toMatchObject({
      code: 'bad-set',
      message: expect.stringMatching(new RegExp(`set\\.json.*${field.replace(/[[\].]/g, '\\$&')}`)),
      hint: expect.any(String),
    });
  });

  test('a folder with nothing in it, or with a manifest that is not JSON, is an error too', async () => {
    await mkdir(join(folder, 'empty'));
    await put('torn/set.json', '{"name":');
    await mkdir(join(folder, 'endless'));
    await symlink('/dev/zero', join(folder, 'endless/set.json'));
    for (const name of ['empty', 'torn', 'endless']) {
      await expect(loadSets({ cacheDir: undefined, setDirs: [join(folder, name)] })).rejects.toMatchObject({
        code: 'bad-set',
        message: expect.stringContaining(name === 'empty' ? 'no set.json, and no usable file' : join(name, 'set.json')),
      });
    }
  });
});

describe('the cache', () => {
  test('its sets, payloads and kernels are found; the host stands in for the set of its own code name', async () => {
    await put('root/etc/os-release', 'NAME="Debian"\nVERSION_CODENAME=bookworm\n');
    await put('cache/sets/forky/set.json', { name: 'forky', kernels: [{ arch: 'aarch64', kernel: 'linux' }] });
    await put('cache/sets/forky/linux');
    await put('payloads/probe-aarch64.efi');
    const [cacheDir, payloadsDir] = [join(folder, 'cache'), join(folder, 'payloads')];
    const sets = await loadSets({ cacheDir, payloadsDir, setDirs: [], host: bareHost() });
    expect(sets.names).toEqual(['host', 'bookworm', 'forky']);
    expect(await sets.kernel('aarch64', 'bookworm')).toMatchObject({ set: 'forky' });
    const host = found(await sets.get('bookworm'));
    expect(host.nbp({ secondStage: 'probe', arch: 'aarch64', interface: 'uefi' })).toMatchObject({
      path: join(folder, 'payloads/probe-aarch64.efi'),
    });
    expect(reasonOf(await sets.payload('probe-bios.0'))).toContain('doctor');
    expect(reasonOf(await sets.get('sid'))).toContain('available: host, bookworm, forky');
  });

  test('a set may add to what the host has', async () => {
    await put('root/usr/lib/ipxe/undionly.kpxe');
    await put('root/usr/lib/ipxe/snponly.efi');
    await put('cache/sets/more/own.efi');
    await put('cache/sets/more/set.json', {
      name: 'more',
      extends: 'host',
      nbps: [{ secondStage: 'snponly', arch: 'x86_64', path: 'own.efi' }],
    });
    const sets = await loadSets({ cacheDir: join(folder, 'cache'), setDirs: [], host: bareHost() });
    const more = found(await sets.get('more'));
    const nbp = (secondStage: 'snponly' | 'undionly', runBy: 'uefi' | 'bios') =>
      found(more.nbp({ secondStage, arch: 'x86_64', interface: runBy })).path;
    expect(nbp('snponly', 'uefi')).toBe(join(folder, 'cache/sets/more/own.efi'));
    expect(nbp('undionly', 'bios')).toBe(join(folder, 'root/usr/lib/ipxe/undionly.kpxe'));
  });
});

describe('a set that extends another', () => {
  const load = (...setDirs: string[]) =>
    loadSets({
      cacheDir: join(folder, 'cache'),
      setDirs: setDirs.map((name) => join(folder, name)),
      host: bareHost(),
    });
  const nbp = { secondStage: 'ipxe', arch: 'aarch64' } as const;

  beforeEach(async () => {
    await put('cache/sets/forky/set.json', {
      name: 'forky',
      firmware: [{ firmware: 'aavmf', arch: 'aarch64', code: 'code.fd' }],
      nbps: [{ ...nbp, path: 'ipxe.efi' }],
    });
    await put('cache/sets/forky/code.fd');
    await put('cache/sets/forky/ipxe.efi');
    await put('mine/own.fd');
  });
  const own = (name: string, base: string) =>
    put('mine/set.json', {
      name,
      extends: base,
      firmware: [{ firmware: 'aavmf', arch: 'aarch64', code: 'own.fd' }],
    });

  test.each([
    ['under a name of its own', 'mine'],
    ['under the name of the other, which it then stands for', 'forky'],
  ])('has what it brings, and the rest from there: %s', async (_, name) => {
    await own(name, 'forky');
    const set = found(await (await load('mine')).get(name));
    expect(found(set.firmware({ firmware: 'aavmf', arch: 'aarch64', secureBoot: 'off' })).code).toBe(
      join(folder, 'mine/own.fd'),
    );
    expect(found(set.nbp({ ...nbp, interface: 'uefi' })).path).toBe(join(folder, 'cache/sets/forky/ipxe.efi'));
  });

  test.each([
    ['a set that is not there', 'mine', 'frky', 'no artefact set frky here'],
    ['itself alone', 'mine', 'mine', 'a set cannot extend itself'],
  ])('%s cannot be extended', async (_, name, base, why) => {
    await own(name, base);
    const loaded = async () => (await load('mine')).get(name);
    await expect(loaded()).rejects.toMatchObject({
      code: 'bad-set',
      message: `artefact set ${name}: extends: ${why}`,
      hint: expect.stringContaining('forky'),
    });
  });

  test('nor can two extend each other', async () => {
    await own('mine', 'yours');
    await put('yours/set.json', { name: 'yours', extends: 'mine' });
    await expect((await load('mine', 'yours')).get('mine')).rejects.toMatchObject({ code: 'bad-set' });
  });
});

describe("QEMU's firmware descriptors", () => {
  const descriptor = (code: string, features: string[] = []) => ({
    'interface-types': ['uefi'],
    mapping: {
      device: 'flash',
      executable: { filename: `/fw/${code}`, format: 'raw' },
      'nvram-template': { filename: '/fw/VARS.ms.fd', format: 'raw' },
    },
    targets: [{ architecture: 'x86_64', machines: ['pc-q35-*'] }],
    features,
  });
  const codeOf = async (secureBoot: 'off' | 'microsoft' | 'snakeoil' = 'off') => {
    const sets = await loadSets({ cacheDir: undefined, setDirs: [], host: bareHost() });
    const result = found(await sets.get('host')).firmware({ firmware: 'ovmf', arch: 'x86_64', secureBoot });
    return isMissing(result) ? undefined : result.code?.split('/').at(-1);
  };

  beforeEach(async () => {
    for (const name of ['a.fd', 'b.fd', 'c.fd', 'VARS.ms.fd']) await put(`root/fw/${name}`);
    await put('root/usr/share/qemu/firmware/50-b.json', descriptor('b.fd'));
  });

  test('the lowest file name goes first', async () => {
    await put('root/usr/share/qemu/firmware/40-a.json', descriptor('a.fd'));
    expect(await codeOf()).toBe('a.fd');
  });

  test("the user's folder hides a file of the same name, and an empty file hides it altogether", async () => {
    await put('root/home/user/.config/qemu/firmware/50-b.json', descriptor('c.fd'));
    expect(await codeOf()).toBe('c.fd');
    await put('root/home/user/.config/qemu/firmware/50-b.json', '');
    expect(await codeOf()).toBeUndefined();
  });

  test('a descriptor whose files are not installed is passed over', async () => {
    await put('root/usr/share/qemu/firmware/40-a.json', descriptor('not-there.fd'));
    expect(await codeOf()).toBe('b.fd');
  });

  test('Secure Boot is recognised by enrolled keys, and the snakeoil store lies next to it', async () => {
    await put('root/usr/share/qemu/firmware/40-a.json', descriptor('a.fd', ['secure-boot', 'enrolled-keys']));
    expect([await codeOf('off'), await codeOf('microsoft'), await codeOf('snakeoil')]).toEqual([
      'b.fd',
      'a.fd',
      undefined,
    ]);
    await symlink('VARS.ms.fd', join(folder, 'root/fw/VARS.snakeoil.fd'));
    expect(await codeOf('snakeoil')).toBe('a.fd');
  });
});

test.each([
  ['q35', ['pc-q35-*'], true],
  ['pc-q35-7.2', ['pc-q35-*'], true],
  ['pc', ['pc-q35-*'], false],
  ['virt,acpi=off', ['virt-*'], true],
  ['microvm', ['pc', 'q35'], false],
  ['microvm', undefined, true],
])('machine %s against %j: %s', (machine, patterns, fits) => {
  expect(machineFits(machine, patterns)).toBe(fits);
});
