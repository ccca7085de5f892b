import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Scenario } from '../../harness/model/scenario.ts';
import { resolveScenario } from '../../harness/resolve/resolve.ts';
import { resolveUnread } from '../../harness/resolve/resolve-unread.ts';
import { craftBios, craftPe, craftRom } from '../assets/crafted-files.ts';
import { scenario } from '../plan/found-scenario.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { bareSources } from './bare-sources.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});
beforeEach(async () => {
  await put('bios.bin', craftBios().bytes);
});

async function put(path: string, content: string | Buffer | object): Promise<string> {
  const at = join(folder, path);
  await mkdir(dirname(at), { recursive: true });
  const isRaw = typeof content === 'string' || Buffer.isBuffer(content);
  await writeFile(at, isRaw ? content : JSON.stringify(content));
  return at;
}

/** A case whose firmware is there, and whose other files are what is in question. */
const resolve = async (over: Partial<Scenario>, setDirs: string[] = []) =>
  resolveScenario(
    scenario({
      ...{ set: 'host', secondStage: 'none', payload: 'script', machine: 'pc' },
      firmware: { code: join(folder, 'bios.bin') },
      ...over,
    }),
    await bareSources(
      folder,
      setDirs.map((name) => join(folder, name)),
    ),
  );

describe('an artefact that a set lacks', () => {
  beforeEach(async () => {
    await put('mine/pxelinux.0', 'x');
    await put('mine/e1000.rom', craftRom().bytes);
    await put('mine/set.json', {
      name: 'mine',
      nbps: [{ secondStage: 'pxelinux', arch: 'x86_64', bios: true, path: 'pxelinux.0' }],
      roms: [{ nic: 'e1000', kind: 'full', path: 'e1000.rom' }],
      firmware: [{ firmware: 'ovmf', arch: 'x86_64', code: 'pxelinux.0' }],
    });
    await put('more/set.json', { name: 'more', extends: 'mine' });
  });

  test.each<[string, Partial<Scenario>, string]>([
    [
      'an NBP',
      { secondStage: 'pxelinux' },
      'no such NBP (pxelinux, x86_64, BIOS) in set host; sets mine, more have it: say "nbpSet": "mine"',
    ],
    [
      'a ROM',
      { nic: 'e1000', rom: 'full' },
      'no such ROM (full, e1000) in set host; sets mine, more have it: say "rom": { "kind": "full", "set": "mine" }',
    ],
    ['firmware', { firmware: 'ovmf' }, 'no ovmf for x86_64 in set host; sets mine, more have it: say "set": "mine"'],
    [
      'something served by its role',
      { serve: { 'pxe.0': { secondStage: 'pxelinux' } } },
      'no such NBP (pxelinux, x86_64, BIOS) in set host; sets mine, more have it: say "set": "mine" in serve["pxe.0"]',
    ],
    ['what no set has', { secondStage: 'undionly' }, 'no such NBP (undionly, x86_64, BIOS) in set host'],
  ])('%s: the reason names the sets that have it', async (_, over, reason) => {
    expect(await resolve(over, ['mine', 'more'])).toEqual({ missing: reason });
  });

  test('is taken from the set that the reason named', async () => {
    expect(await resolve({ secondStage: 'pxelinux', nbpSet: 'more' }, ['mine', 'more'])).toMatchObject({
      nbp: { path: join(folder, 'mine/pxelinux.0') },
    });
  });
});

test('what keeps a case from running shows without reading its files', async () => {
  const sources = await bareSources(folder);
  const firmware = { code: join(folder, 'bios.bin') };
  const cell = (over: Partial<Scenario>) =>
    scenario({ set: 'host', machine: 'pc', secondStage: 'none', payload: 'script', firmware, ...over });
  const reads: string[] = [];
  const watched = {
    ...sources,
    fingerprints: {
      ...sources.fingerprints,
      of: (path: string) => {
        reads.push(path);
        return sources.fingerprints.of(path);
      },
    },
  };
  expect(await resolveUnread(cell({}), watched)).toMatchObject({ firmware: { interface: 'bios' } });
  expect(await resolveUnread(cell({ secondStage: 'pxelinux' }), watched)).toEqual({
    missing: expect.stringMatching(/^no such NBP \(pxelinux/),
  });
  expect(await resolveUnread(cell({ firmware: { code: await put('odd.bin', 'x') } }), watched)).toEqual({
    missing: expect.stringContaining('has neither'),
  });
  expect(reads).toEqual([]);
});

test('a server of the user’s on a host that cannot isolate it', async () => {
  const impossible = 'this host forbids user namespaces (user.max_user_namespaces is 0)';
  const sources = { ...(await bareSources(folder)), isolation: async () => ({ impossible, hint: 'Allow them.' }) };
  const cell = scenario({
    ...{ set: 'host', machine: 'pc', secondStage: 'none', payload: 'script' },
    firmware: { code: join(folder, 'bios.bin') },
    provisioner: { command: ['/bin/sh'] },
  });
  const reason = { missing: `the provisioner cannot be isolated: ${impossible}. Allow them.` };
  expect(await resolveScenario(cell, sources)).toEqual(reason);
  expect(await resolveUnread(cell, sources)).toEqual(reason);
});

test.each<[string, object]>([
  ['{{mac}}', { command: ['/bin/sh', '-c', 'echo {{mac}}'] }],
  ['{{nonce}}', { command: ['/bin/sh'], files: { c: { text: 'token={{nonce}}' } } }],
  ['{{guest}}', { command: ['/bin/sh'], env: { GUEST: '{{guest}}' } }],
])('a server of many guests cannot name one of them: %s', async (placeholder, program) => {
  const provisioner = { ...program, scope: 'group' } as Scenario['provisioner'];
  expect(await resolve({ provisioner })).toEqual({
    missing: `the provisioner has a whole group's guests, and ${placeholder} is of one of them`,
  });
});

describe('a probe program', () => {
  const own = { secondStage: 'probe', nbpSet: 'mine', payload: 'probe' } as const;
  beforeEach(async () => {
    await put('mine/probe.0', 'x'.repeat(64));
    const nbps = [{ secondStage: 'probe', arch: 'x86_64', bios: true, path: 'probe.0' }];
    await put('mine/set.json', { name: 'mine', nbps });
  });

  test.each<[string, string | object | undefined, string]>([
    ['without the file beside it', undefined, 'cannot be read (ENOENT)'],
    ['with no JSON beside it', 'nonce', 'expected { "nonce"'],
    ['with other JSON beside it', { nonce: { offsets: 'none' } }, 'expected { "nonce"'],
  ])('%s costs its cell, with the reason', async (_, sidecar, reason) => {
    if (sidecar !== undefined) await put('mine/probe.json', sidecar);
    const { missing } = (await resolve(own, ['mine'])) as { missing: string };
    expect(missing).toContain(join(folder, 'mine/probe.json'));
    expect(missing).toContain(reason);
  });

  test('takes the nonce where the file beside it says', async () => {
    await put('mine/probe.json', { nonce: { offsets: [16], bytes: 32 } });
    expect(await resolve(own, ['mine'])).toMatchObject({ nbp: { nonce: { offsets: [16], bytes: 32 } } });
  });
});

describe('an odd file', () => {
  test('as ROM is resolved, and recorded as what it is', async () => {
    const rom = Buffer.alloc(0x800);
    rom.writeUInt16LE(0xaa55, 0);
    rom.writeUInt16LE(0x400, 0x18);
    rom.write('PCIR', 0x400, 'latin1');
    rom.writeUInt16LE(1, 0x410);
    const found = await resolve({ nic: 'e1000', rom: { file: await put('odd.rom', rom) } });
    expect(found).toMatchObject({ oprom: { kind: 'file' }, inputs: [{}, { role: 'oprom' }] });
  });

  test('as NBP, of 300 MiB, is resolved', async () => {
    const path = await put('large.iso', '');
    const { truncate } = await import('node:fs/promises');
    await truncate(path, 300 * 2 ** 20);
    expect(await resolve({ secondStage: { file: path } })).toMatchObject({ nbp: { path, bytes: 300 * 2 ** 20 } });
  });

  test('as the kernel inside a unified image costs its cell', async () => {
    await put('mine/stub.efi', Buffer.concat([craftPe().bytes.subarray(0, 0x98), Buffer.alloc(16)]));
    const nbps = [{ secondStage: 'uki', arch: 'x86_64', path: 'stub.efi' }];
    await put('mine/set.json', { name: 'mine', nbps });
    const own = { kernel: { file: await put('linux', 'x') }, initrd: { file: await put('initrd', 'x') } };
    const firmware = { code: join(folder, 'bios.bin'), interface: 'uefi' } as const;
    const found = await resolve({ ...own, firmware, secondStage: 'uki', nbpSet: 'mine', payload: 'linux' }, ['mine']);
    expect(found).toEqual({ missing: expect.stringMatching(/^no unified kernel image can be made on .*stub\.efi: /) });
  });
});
