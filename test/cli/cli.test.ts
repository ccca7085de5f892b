import { existsSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOfCases, exitCodeOfRun } from '../../harness/cli/exit-code.ts';
import type { Status } from '../../harness/model/verdict.ts';
import { sampleCase } from '../report/sample-run.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { netbootWith } from './netboot.ts';

const folder = folderOfFile();
beforeAll(async () => {
  await writeFile(
    join(folder, 'mine.json'),
    JSON.stringify({
      name: 'mine',
      groups: [
        { name: 'bios', arch: 'x86_64', firmware: 'seabios', nic: ['e1000', 'pcnet'], rom: ['bundled', 'none'] },
        { name: 'arm', arch: 'aarch64', nic: 'virtio-net-pci', rom: 'none', secondStage: ['ipxe', 'undionly'] },
        { name: 'all', arch: 'x86_64', firmware: 'seabios', nic: 'rtl8139', tags: ['full'] },
        {
          name: 'stop',
          arch: 'x86_64',
          firmware: 'ovmf',
          nic: 'e1000',
          rom: { file: 'not-there.rom' },
          expect: { stopsAt: 'dhcp', failure: 'uefi-shell', reason: 'no such ROM' },
        },
        {
          name: 'own',
          arch: 'x86_64',
          firmware: 'seabios',
          nic: 'tulip',
          rom: 'full',
          waitsFor: 'a ROM for tulip',
        },
      ],
    }),
  );
});

const netboot = (...argv: string[]) => netbootWith({ ...process.env, NETBOOT_CACHE: join(folder, 'cache') }, ...argv);
const mine = () => ['--matrix', join(folder, 'mine.json')];
const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');
/** Listed ids; what this host lacks for them differs from host to host. */
const idsOf = (text: string) => linesOf(text).map((line) => line.split('  ')[0]);

describe('list', () => {
  it('lists cases with what is expected of them', async () => {
    const { code, out } = await netboot('list', ...mine());
    expect(code).toBe(0);
    expect(idsOf(out)).toEqual([
      'bios.x86_64.pc.seabios.e1000.bundled',
      'bios.x86_64.pc.seabios.e1000.none',
      'bios.x86_64.pc.seabios.pcnet.bundled',
      'bios.x86_64.pc.seabios.pcnet.none',
      'arm.aarch64.virt.aavmf.virtio-net-pci.none.ipxe',
      'stop.x86_64.q35.ovmf.e1000.not-there.rom',
      'own.x86_64.pc.seabios.tulip.full',
    ]);
    expect(out).toContain('not-there.rom  (stops at dhcp: no such ROM)  (not run here: ');
  });

  it('says which cases cannot be run here and why, and which wait for a set of the user', async () => {
    const { out, err } = await netboot('list', ...mine(), 'stop', 'own');
    expect(linesOf(out)).toEqual([
      expect.stringMatching(/^stop\..* \(stops at dhcp: no such ROM\) {2}\(not run here: .*not-there\.rom/),
      'own.x86_64.pc.seabios.tulip.full  (waits for a ROM for tulip)',
    ]);
    expect(linesOf(err)).toEqual([
      '1 of 2 cannot be run here, which fails a run of them',
      '1 of 2 wait for a set of yours',
    ]);
    const listed = JSON.parse((await netboot('list', ...mine(), 'stop', 'own', '--json')).out) as object[];
    expect(listed).toEqual([
      expect.objectContaining({ notRun: expect.stringContaining('not-there.rom') }),
      expect.objectContaining({ waitsFor: 'a ROM for tulip', notRun: expect.any(String) }),
    ]);
  });

  it('filters by axis, lists and globs, and by id', async () => {
    const ids = async (...argv: string[]) => idsOf((await netboot('list', ...mine(), ...argv)).out);
    expect(await ids('--arch', 'aarch64')).toEqual(['arm.aarch64.virt.aavmf.virtio-net-pci.none.ipxe']);
    expect(await ids('--nic', 'e1000,pcnet', '--rom', 'none')).toHaveLength(2);
    expect(await ids('--nic', 'e1000', '--nic', 'pcnet', '--firmware', 'sea*')).toHaveLength(4);
    expect(await ids('bios', '--shard', '1/2')).toHaveLength(2);
    expect(await ids('*.none', '*.ipxe')).toHaveLength(3);
    expect(await ids('--second-stage', 'ipxe', '--ip-version', '4')).toHaveLength(1);
  });

  it('takes the groups of the full product with --full alone', async () => {
    expect((await netboot('list', ...mine(), 'all')).code).toBe(2);
    expect(idsOf((await netboot('list', ...mine(), '--full', 'all')).out)).toEqual([
      'all.x86_64.pc.seabios.rtl8139.bundled',
    ]);
  });

  it('lists what was left out, with reasons', async () => {
    const { out } = await netboot('list', ...mine(), '--excluded');
    expect(out).toMatch(/^arm\.aarch64\.virt\.aavmf\.virtio-net-pci\.none\.undionly {2}\(.*UNDI.*\)\n$/);
    expect(JSON.parse((await netboot('list', ...mine(), '--excluded', '--json')).out)).toHaveLength(1);
  });

  it('prints JSON that is a list of scenarios', async () => {
    const scenarios = JSON.parse((await netboot('list', ...mine(), '--json', 'arm')).out) as unknown[];
    expect(scenarios).toEqual([expect.objectContaining({ arch: 'aarch64', machine: 'virt', firmware: 'aavmf' })]);
  });

  it('has a default matrix', async () => {
    const { code, out } = await netboot('list');
    expect(code).toBe(0);
    expect(linesOf(out).length).toBeGreaterThan(10);
  });
});

describe('artefact sets', () => {
  beforeAll(async () => {
    await mkdir(join(folder, 'set'));
    await writeFile(join(folder, 'set', 'set.json'), JSON.stringify({ name: 'mybuild' }));
  });

  it('puts groups that name no set on the one given, folder or name', async () => {
    const { out } = await netboot('list', ...mine(), 'arm', '--set', join(folder, 'set'));
    expect(idsOf(out)).toEqual(['arm.aarch64.virt.aavmf@mybuild.virtio-net-pci.none.ipxe']);
    expect((await netboot('list', ...mine(), 'arm', '--set', 'host')).out).toContain('.aavmf.virtio');
  });

  it('takes a folder with a comma in its name, and several', async () => {
    const odd = join(folder, 'a, b');
    await mkdir(odd);
    await writeFile(join(odd, 'set.json'), JSON.stringify({ name: 'odd' }));
    const { out } = await netboot('list', ...mine(), 'arm', '--set', odd, '--set', join(folder, 'set'));
    expect(linesOf(out).map((id) => /@(\w+)/.exec(id)?.[1])).toEqual(['odd', 'mybuild']);
  });

  it('refuses one that is neither', async () => {
    const { code, err } = await netboot('list', ...mine(), '--set', 'nonsense');
    expect(code).toBe(2);
    expect(err).toMatch(/^error: --set nonsense: expected a folder .*\nhint: Known sets: host/);
  });
});

describe('what is wrong is said once, with a remedy and the right exit code', () => {
  const wrong: [string, () => string[], number, RegExp][] = [
    ['no command', () => [], 2, /^$/],
    ['an unknown command', () => ['rnu'], 2, /^error: unknown command 'rnu'\n\(Did you mean run\?\)/],
    [
      'an unknown option',
      () => ['run', '--jbos', '2'],
      2,
      /^error: unknown option '--jbos'\n\(Did you mean --jobs\?\)/,
    ],
    [
      'a bad number',
      () => ['run', '--jobs', '0'],
      2,
      /^error: option '--jobs <n>' argument '0' is invalid\. Expected a whole number/,
    ],
    ['a bad accelerator', () => ['run', '--accel', 'fast'], 2, /^error: .*Allowed choices are auto, tcg, kvm, hvf/],
    ['a bad shard', () => ['list', ...mine(), '--shard', '3/2'], 2, /^error: --shard: expected i\/n .*saw "3\/2"/],
    [
      'an unknown axis value',
      () => ['list', ...mine(), '--nic', 'e100'],
      2,
      /^error: --nic: no case has "e100"; did you mean "e1000"\?\nhint: Known here: /,
    ],
    [
      'an axis value of a flag with another name',
      () => ['list', ...mine(), '--ip-version', '5'],
      2,
      /^error: --ip-version: no case has "5"; did you mean "4"\?\nhint: Known here: 4/,
    ],
    ['an unknown id', () => ['show', ...mine(), 'nope'], 2, /^error: no case matches "nope"/],
    ['an ambiguous id', () => ['show', ...mine(), 'bios'], 2, /^error: "bios" matches 4 cases, expected one: /],
    ['no matrix file', () => ['list', '--matrix', 'no.json'], 2, /^error: no\.json: no such file or directory\nhint: /],
    ['a folder as ROM', () => ['inspect', folder], 2, /^error: cannot inspect .*: not a regular file/],
    ['no file to inspect', () => ['inspect', join(folder, 'no.rom')], 2, /^error: cannot inspect .*no\.rom/],
    ['a folder as matrix', () => ['list', '--matrix', folder], 2, /^error: .*: expected a file, saw a folder\nhint: /],
    ['an empty folder name', () => ['run', '--out', ''], 2, /^error: option '--out <dir>': the value is empty\nhint: /],
    ['an empty set', () => ['list', '--set', ''], 2, /^error: option '--set <dir\|name>': the value is empty\nhint: /],
    ['an empty filter', () => ['list', '--nic', ','], 2, /^error: option '--nic <values>': the value is empty\nhint: /],
    [
      'a file to put results into',
      () => ['run', ...mine(), 'arm', '--out', join(folder, 'mine.json')],
      2,
      /^error: .*mine\.json: expected a folder, but it or a parent is a file\nhint: /,
    ],
    ['no run directory', () => ['judge', join(folder, 'no')], 2, /^error: .*no: there is no such file or directory/],
    ['a folder that is no run', () => ['judge', folder], 2, /^error: /],
    [
      'nothing to resume',
      () => ['run', '--resume', join(folder, 'no')],
      2,
      /^error: .*run\.json: there is no such file or directory/,
    ],
    [
      'a resumed run with another choice of cases',
      () => ['run', '--resume', folder, '--failed', folder],
      2,
      /^error: --resume resumes a run as it was started, and does not go with --failed/,
    ],
    [
      'a resumed run with filters',
      () => ['run', '--resume', folder, '--nic', 'e1000'],
      2,
      /^error: --resume resumes a run as it was started/,
    ],
    [
      'a ROM without images',
      () => ['rom', 'make', '--id', '8086:100e', '--out', join(folder, 'x.rom')],
      2,
      /^error: cannot make an option ROM: no image/,
    ],
    [
      'PCI ids that are none',
      () => ['rom', 'make', '--id', 'e1000', '--out', 'x.rom'],
      2,
      /Expected vendor:device in hex/,
    ],
  ];
  const serving = async (serve: object) => {
    const matrix = join(folder, 'serving.json');
    const group = { name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'none', serve };
    await writeFile(matrix, JSON.stringify({ name: 'serving', groups: [group] }));
    return matrix;
  };

  it.each([
    [
      { 'grub/a.cfg': { path: 'no/a.cfg' } },
      /^error: g\.x86_64\S*: serve\["grub\/a\.cfg"\]: \S*\/no\/a\.cfg: no such file.*\nhint: /,
    ],
    [
      { '../a': { text: '' } },
      /^error: \S*serving\.json: groups\[0\]\.serve\["\.\.\/a"\]: a served name .*; saw "\.\.\/a"/,
    ],
  ])('what cannot be served, before anything boots: %j', async (serve, message) => {
    const matrix = await serving(serve);
    const out = join(folder, 'never');
    for (const argv of [
      ['show', 'g'],
      ['run', '--out', out],
    ]) {
      const outcome = await netboot(...argv, '--matrix', matrix);
      expect(outcome).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
    }
    expect(existsSync(out)).toBe(false);
  });

  it.each(wrong)('%s', async (_, argv, code, message) => {
    const outcome = await netboot(...argv());
    expect(outcome.err).toMatch(message);
    expect(outcome.err).not.toMatch(/^\s+at /m);
    expect(outcome.code).toBe(code);
  });

  it('a corrupt case directory', async () => {
    const directory = join(folder, 'corrupt');
    await mkdir(directory);
    await writeFile(join(directory, 'plan.json'), '{ "version": 1, ');
    const { code, err } = await netboot('judge', directory);
    expect(code).toBe(2);
    expect(err).toMatch(/^error: .*corrupt\/plan\.json: .*\nhint: /);
  });

  it('shows where it comes from with --debug', async () => {
    const { err } = await netboot('list', '--matrix', 'no.json', '--debug');
    expect(err).toMatch(/^\s+at /m);
  });
});

describe('help', () => {
  it.each([
    [['--help']],
    [['run', '--help']],
    [['list', '--help']],
    [['show', '--help']],
    [['repro', '--help']],
    [['judge', '--help']],
    [['predict', '--help']],
    [['inspect', '--help']],
    [['rom', 'make', '--help']],
    [['firmware', 'extract', '--help']],
  ])('%j teaches by example and exits 0', async (argv) => {
    const { code, out, err } = await netboot(...argv);
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(out).toMatch(/Examples?:\n {2}netboot /);
  });

  it.each(['--help', 'run', 'list', 'show'])(
    'names cases of the default matrix in its examples: %s',
    async (command) => {
      const { out } = await netboot(...(command === '--help' ? [] : [command]), '--help');
      const examples = [...out.matchAll(/^ {2}netboot (\w+) ('?)([\w*][\w.*@-]*)\2(?: |$)/gm)].filter(
        ([, , , id]) => id !== 'CASE',
      );
      for (const [, verb, , id = ''] of examples.filter(([, verb]) => ['run', 'list', 'show'].includes(verb ?? ''))) {
        const listed = await netboot('list', id);
        expect(listed).toMatchObject({ code: 0, err: expect.not.stringContaining('error: ') });
        if (verb === 'show') expect(linesOf(listed.out)).toHaveLength(1);
      }
    },
  );

  it('has a filter for every axis', async () => {
    const { out } = await netboot('run', '--help');
    for (const flag of [
      'arch',
      'machine',
      'firmware',
      'only-set',
      'nic',
      'rom',
      'second-stage',
      'transport',
      'payload',
      'secure-boot',
      'ip-version',
    ]) {
      expect(out).toContain(`--${flag} <values>`);
    }
  });
});

it('inspects a file that is nothing known', async () => {
  const file = join(folder, 'nothing');
  await writeFile(file, Buffer.alloc(700, 0x5a));
  expect(await netboot('inspect', file)).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse((await netboot('inspect', file, '--json')).out)).toMatchObject({ type: 'unknown', bytes: 700 });
});

it('inspects several files, and says of one that cannot be read that it could not', async () => {
  const [rom, text] = [join(folder, 'some.rom'), join(folder, 'some.txt')];
  await writeFile(rom, Buffer.from('55aa01', 'hex'));
  await writeFile(text, '#!ipxe\n');
  const both = await netboot('inspect', rom, text);
  expect(both).toMatchObject({ code: 0, err: '' });
  expect(both.out).toBe(`${rom}:\n  an unknown kind of file (3 bytes)\n\n${text}:\n  a script (7 bytes)\n`);
  expect(JSON.parse((await netboot('inspect', rom, text, '--json')).out)).toEqual([
    expect.objectContaining({ file: rom, bytes: 3 }),
    expect.objectContaining({ file: text, guess: 'a script' }),
  ]);
  const { code, out, err } = await netboot('inspect', rom, folder, text);
  expect(code).toBe(2);
  expect(out).toBe(both.out);
  expect(err).toMatch(/^error: cannot inspect .*: not a regular file/);
});

it('says of a file too large to be looked into what its beginning says', async () => {
  const iso = join(folder, 'large.iso');
  const handle = await open(iso, 'w');
  await handle.write('CD001', 0x8001);
  await handle.truncate(300 * 2 ** 20);
  await handle.close();
  expect(await netboot('inspect', iso)).toMatchObject({
    code: 0,
    out: 'an ISO 9660 image (314572800 bytes)\n',
  });
});

it('makes an option ROM that inspection reads back', async () => {
  // The least that is a PE image: DOS header, COFF header, an optional header for X64 and no section.
  const pe = Buffer.alloc(512);
  pe.write('MZ', 0);
  pe.writeUInt32LE(0x40, 0x3c);
  pe.write('PE\0\0', 0x40, 'latin1');
  pe.writeUInt16LE(0x8664, 0x44);
  pe.writeUInt16LE(0xf0, 0x54);
  pe.writeUInt16LE(0x20b, 0x58);
  pe.writeUInt32LE(512, 0x58 + 56);
  pe.writeUInt32LE(512, 0x58 + 60);
  pe.writeUInt16LE(11, 0x58 + 68);
  pe.writeUInt32LE(16, 0x58 + 108);
  const driver = join(folder, 'driver,1.efi');
  await writeFile(driver, pe);
  const out = join(folder, 'made.rom');
  const made = await netboot('rom', 'make', '--id', '8086:100e', '--efi', driver, '--out', out);
  expect(made).toMatchObject({ code: 0, err: '' });
  expect((await readFile(out)).readUInt16LE(0)).toBe(0xaa55);
  const { images } = JSON.parse((await netboot('inspect', out, '--json')).out) as { images: unknown[] };
  expect(images).toEqual([expect.objectContaining({ vendorId: 0x8086, deviceId: 0x100e, lastImage: true })]);
});

describe('exit codes of runs', () => {
  const codes: [Status[], number][] = [
    [[], 0],
    [['passed', 'passed'], 0],
    [['passed', 'not-run'], 3],
    [['failed', 'not-run'], 1],
    [['passed', 'waiting'], 0],
    [['waiting'], 3],
    [['not-run'], 3],
    [['passed', 'failed', 'error'], 1],
    [['passed', 'flaky'], 1],
    [['passed', 'error'], 3],
    [['failed', 'interrupted'], 130],
  ];
  it.each(codes)('%j → %d', (statuses, code) => {
    expect(exitCodeOfCases(statuses.map((status) => ({ status })))).toBe(code);
  });

  it('cases that are not run fail no run that allows it, as long as others ran', () => {
    const codeOf = (...statuses: Status[]) =>
      exitCodeOfCases(
        statuses.map((status) => ({ status })),
        { allowNotRun: true },
      );
    expect(codeOf('passed', 'not-run')).toBe(0);
    expect(codeOf('not-run')).toBe(3);
    expect(codeOf('error', 'not-run')).toBe(3);
  });

  it('a broken reporter fails a run that went well, and hides nothing worse', () => {
    const run = (status: Status) => ({ cases: [sampleCase({ verdict: { status } })] });
    expect(exitCodeOfRun(run('passed'), ['reporter files failed'])).toBe(1);
    expect(exitCodeOfRun(run('error'), ['reporter files failed'])).toBe(3);
  });
});
