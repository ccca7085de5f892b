import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { folderOfTest } from '../temporary-folder.ts';
import { netbootWith } from './netboot.ts';

const recorded = fileURLToPath(new URL('../../fixtures/runs/bios-no-driver', import.meta.url));

let folder: string;
let theirs: string;
folderOfTest((made) => {
  folder = made;
  theirs = join(folder, 'theirs');
  mkdirSync(theirs);
  for (const name of ['outside', 'theirs/inside']) writeFileSync(join(folder, name), 'x');
});
afterEach(() => {
  process.chdir(fileURLToPath(new URL('../..', import.meta.url)));
});

// No set of this name is there: what is trusted is not run either, and no guest starts.
const cell = { name: 'g', arch: 'x86_64', firmware: 'ovmf', nic: 'e1000', set: 'no-such-set' };
const netboot = (...argv: string[]) => netbootWith({ ...process.env, NETBOOT_CACHE: join(folder, 'cache') }, ...argv);

function matrix(group: object): string {
  const file = join(theirs, 'bug.json');
  writeFileSync(file, JSON.stringify({ name: 'bug', groups: [{ ...cell, ...group }] }));
  return file;
}

const run = (file: string, ...more: string[]) =>
  netboot('run', '--matrix', file, '--out', join(folder, 'out'), ...more);

const ran = { code: 3, err: '', out: expect.stringContaining('1 not run') };

describe('the words of a matrix that someone else wrote', () => {
  const words = 'owned\u001b[2J\u009b1A\n::error::owned';
  const file = () => {
    const path = join(theirs, 'words.json');
    const expect = { stopsAt: 'dhcp', failure: 'uefi-shell', reason: words };
    const exclude = [{ when: { nic: 'pcnet' }, reason: words }];
    const group = { ...cell, nic: ['e1000', 'pcnet'], title: words, waitsFor: words, expect, exclude };
    writeFileSync(path, JSON.stringify({ name: words, groups: [group] }));
    return path;
  };

  it.each([
    ['list', []],
    ['list', ['--excluded']],
    ['show', ['g.*']],
    ['predict', []],
    ['run', ['--reporter', 'plain']],
    ['run', ['--reporter', 'github']],
    ['run', ['--reporter', 'tap']],
  ])('print as plain words of one line: %s %j', async (command, argv) => {
    const { out, err } = await netboot(command, '--matrix', file(), ...argv);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
    expect(`${out}${err}`).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f]|^::error::owned/m);
    expect(command === 'predict' ? 'owned' : `${out}${err}`).toContain('owned');
  });
});

describe('a matrix that someone else wrote', () => {
  it.each<[string, object]>([
    ['QEMU arguments', { qemuArgs: ['-drive', 'file=/etc/passwd,format=raw'] }],
    ['an absolute path', { serve: { a: { path: '/etc/passwd' } } }],
    ['a path out of its folder', { firmware: { code: '../outside' } }],
    ['a ROM out of its folder', { rom: { file: '../outside' } }],
    ['an NBP out of its folder', { secondStage: { file: '../outside' } }],
    ['a kernel out of its folder', { payload: 'linux', secondStage: 'ipxe', kernel: { file: '../outside' } }],
    ['an initrd out of its folder', { payload: 'linux', secondStage: 'ipxe', initrd: { file: '../outside' } }],
    ['a machine with a file', { machine: 'q35,dumpdtb=/tmp/x' }],
    ['a machine that is a file', { machine: 'dumpdtb=/tmp/x' }],
    ['a ROM file by NIC option', { nicOptions: { romfile: '/etc/passwd' } }],
    ['a program', { provisioner: { command: ['cat', '/etc/passwd'] } }],
    ['a folder for a program', { provisioner: { command: ['x'], cwd: '../outside' } }],
    ['a file for a program', { provisioner: { command: ['x'], files: { a: { path: '../outside' } } } }],
    ['a server of this host', { provisioner: { relay: '127.0.0.1:6767' } }],
    ['another option in the name of one', { nicOptions: { 'mq=on,romfile': '/etc/passwd' } }],
  ])('is refused with %s, which is listed, and taken with --trust', async (_, group) => {
    const file = matrix(group);
    const refused = await run(file);
    expect(refused).toMatchObject({ code: 2, out: '' });
    const [, value] = /"([^"]*(?:outside|passwd|\/tmp\/x|127\.0\.0\.1)[^"]*)"/.exec(JSON.stringify(group)) ?? [];
    expect(refused.err).toContain(`error: ${file}: what it asks for reaches beyond the guest:\n  `);
    expect(refused.err).toContain(value?.replace('../', `${folder}/`));
    expect(refused.err).toMatch(/\nhint: .*--trust/);
    expect(existsSync(join(folder, 'out'))).toBe(false);
    expect(await run(file, '--trust')).toMatchObject(ran);
  });

  it.each<[string, object]>([
    ['files beside it', { serve: { a: { path: 'inside' }, b: { path: '.' } }, rom: { file: 'inside' } }],
    ['machine switches', { machine: 'q35,smm=on,hpet=off' }],
    ['NIC options', { nicOptions: { mq: true, 'x-txtimer': 3, mrg_rxbuf: 'off' } }],
    [
      'text, rules and raw options',
      { serve: { a: { text: '../outside /etc/passwd' } }, kernelArgs: 'init=/etc/passwd' },
    ],
  ])('needs no trust for %s', async (_, group) => {
    expect(await run(matrix(group))).toMatchObject(ran);
  });

  it('is not taken by a link in its folder that leads elsewhere', async () => {
    symlinkSync('/etc', join(theirs, 'link'));
    symlinkSync(join(folder, 'outside'), join(theirs, 'file'));
    for (const path of ['link', 'link/passwd', 'file'])
      expect(await run(matrix({ serve: { a: { path } } }))).toMatchObject({
        code: 2,
        err: expect.stringContaining(path),
      });
  });

  it('may be looked at without trust', async () => {
    const file = matrix({ qemuArgs: ['-S'] });
    for (const verb of ['list', 'show', 'predict']) {
      const { err } = await netboot(verb, '--matrix', file, 'g*');
      expect(err).not.toContain('error: ');
    }
  });

  it('is looked at without running what it names', async () => {
    const ran = join(folder, 'it-ran');
    const program = join(folder, 'qemu-of-a-stranger');
    writeFileSync(program, `#!/bin/sh\n: > ${ran}\n`, { mode: 0o755 });
    const own = { firmware: { code: 'inside', interface: 'bios' }, set: 'host', rom: 'none', qemu: { file: program } };
    const { out } = await netboot('list', '--matrix', matrix(own));
    expect(out).not.toContain('not run here');
    expect(existsSync(ran)).toBe(false);
  });

  it('is judged by the cases that are asked for', async () => {
    const file = join(theirs, 'two.json');
    const groups = [cell, { ...cell, name: 'odd', qemuArgs: ['-S'] }];
    writeFileSync(file, JSON.stringify({ name: 'two', groups }));
    expect(await run(file)).toMatchObject({ code: 2 });
    expect(await run(file, 'g')).toMatchObject(ran);
  });
});

describe('a matrix that is a program', () => {
  const program = () => {
    const file = join(theirs, 'bug.mjs');
    const source = `import { writeFileSync } from 'node:fs';\nwriteFileSync(${JSON.stringify(join(folder, 'ran'))}, '');\n`;
    const data = { name: 'bug', groups: [{ ...cell, qemuArgs: ['-S'] }] };
    writeFileSync(file, `${source}export default ${JSON.stringify(data)};\n`);
    return file;
  };
  const hasRun = () => existsSync(join(folder, 'ran'));

  it('is not even read from outside the checkout one works in', async () => {
    const file = program();
    for (const verb of ['list', 'show', 'run', 'repro', 'predict'])
      expect(await netboot(verb, '--matrix', file, 'g*')).toMatchObject({
        code: 2,
        err: expect.stringMatching(/is a program, and lies outside .*\nhint: .*--trust/),
      });
    expect(hasRun()).toBe(false);
    process.chdir(theirs);
    expect((await netboot('list', '--matrix', 'bug.mjs')).err).toContain('this folder is in no git checkout');
    expect(hasRun()).toBe(false);
  });

  it('is run with --trust, and what it asks for with it', async () => {
    expect(await run(program(), '--trust')).toMatchObject(ran);
    expect(hasRun()).toBe(true);
  });

  it('is run from the checkout one works in', async () => {
    const file = program();
    execFileSync('git', ['init', '-q', folder]);
    process.chdir(theirs);
    expect(await run(file)).toMatchObject(ran);
    expect(hasRun()).toBe(true);
  });

  it('is not in the checkout where only a link to it is', async () => {
    const file = program();
    const mine = join(folder, 'mine');
    execFileSync('git', ['init', '-q', mine]);
    symlinkSync(file, join(mine, 'bug.mjs'));
    process.chdir(mine);
    expect(await netboot('list', '--matrix', 'bug.mjs')).toMatchObject({ code: 2 });
    expect(hasRun()).toBe(false);
  });
});

describe('a record that someone else wrote', () => {
  type Json = Record<string, unknown>;
  const scenarioWith = (fields: Json): Json => {
    const { scenario } = JSON.parse(readFileSync(join(recorded, 'plan.json'), 'utf8')) as { scenario: Json };
    return { ...scenario, set: 'no-such-set', ...fields };
  };

  function caseDirectory(fields: Json): string {
    const directory = join(theirs, 'case');
    cpSync(recorded, directory, { recursive: true });
    const file = join(directory, 'plan.json');
    const plan = JSON.parse(readFileSync(file, 'utf8')) as Json;
    writeFileSync(file, JSON.stringify({ ...plan, inputs: [], scenario: scenarioWith(fields) }));
    return directory;
  }

  function runDirectory(fields: Json): string {
    const directory = join(theirs, 'run');
    mkdirSync(join(directory, 'cases'), { recursive: true });
    const cells = [scenarioWith(fields)];
    const record = { version: 1, matrix: 'x', startedAt: '2026-01-02T03:04:05Z', cells, repeat: 1 };
    writeFileSync(join(directory, 'run.json'), JSON.stringify(record));
    return directory;
  }

  const odd: [string, Json][] = [
    ['QEMU arguments', { qemuArgs: ['-drive', 'file=/etc/passwd,format=raw'] }],
    ['a file elsewhere', { serve: { a: { path: '/etc/passwd' } } }],
    ['a path that depends on where one is', { serve: { a: { path: 'package.json' } } }],
    ['an image in words of QEMU', { firmware: { code: 'json:{"driver":"file","filename":"/etc/passwd"}' } }],
  ];

  it.each(odd)('is not run again with %s', async (_, fields) => {
    const refused = { code: 2, err: expect.stringMatching(/reaches beyond the guest[\s\S]*--trust/) };
    expect(await netboot('repro', caseDirectory(fields), '--out', join(folder, 'out'))).toMatchObject(refused);
    expect(await netboot('run', '--resume', runDirectory(fields))).toMatchObject(refused);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it('needs no trust where it names files that came with it, or none', async () => {
    for (const fields of [{}, { serve: { a: { path: join(theirs, 'run') } } }])
      expect(await netboot('run', '--resume', runDirectory(fields))).toMatchObject(ran);
  });

  it('is run again with --trust', async () => {
    expect(await netboot('run', '--resume', runDirectory({ qemuArgs: ['-S'] }), '--trust')).toMatchObject(ran);
  });
});
