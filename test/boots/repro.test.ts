import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { folderOfFile } from '../temporary-folder.ts';
import { checkout, compile, compiled, until } from './cli.ts';

const main = join(compiled, 'cli/main.js');
const hostile = `it's "a" $(touch owned) case\n;touch owned #`;

const folder = folderOfFile();
beforeAll(async () => {
  await compile();
}, 120_000);

/** QEMU never lets this guest run: it is there for half a second. */
const still = {
  name: 'still',
  arch: 'x86_64',
  firmware: 'seabios',
  nic: 'e1000',
  rom: 'none',
  qemuArgs: ['-S'],
  deadlines: { stageMs: { firmware: 300 } },
};
const asExpected = { stopsAt: 'firmware', failure: 'deadline', reason: 'QEMU does not let it run' };
const id = 'still.x86_64.pc.seabios.e1000.none';

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Runs a program, or with one argument a command line as a shell takes it. */
function ran([program = '', ...argv]: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}): Ran {
  const words = argv.length > 0 ? [program, ...argv] : ['sh', '-c', program];
  const { status, stdout, stderr } = spawnSync(words[0] as string, words.slice(1), {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { code: status, out: stdout, err: stderr };
}
const netboot = (cwd: string, ...argv: string[]) => ran([process.execPath, main, ...argv], cwd);

/** A folder with a matrix, a folder it serves, and the directory of its one case, which was run. */
function runStill(name: string, fields: object = { expect: asExpected }) {
  const place = join(folder, name);
  mkdirSync(join(place, 'served'), { recursive: true });
  writeFileSync(join(place, 'served', 'file'), 'as it was');
  const groups = [{ ...still, serve: { extra: { path: 'served' } }, ...fields }];
  writeFileSync(join(place, 'still.json'), JSON.stringify({ name: 'still', groups }));
  const outcome = netboot(place, 'run', '--matrix', 'still.json', '--out', 'out', '--accel', 'tcg', '--trust');
  return { place, outcome, directory: join('out', 'cases', id) };
}

const same = { code: 0, err: '', out: expect.stringMatching(/^as before: passed at no stage$/m) };

describe('repro DIR', () => {
  it('runs the case again where nothing has changed, and compares', () => {
    const { place, directory } = runStill('same');
    expect(netboot(place, 'repro', directory, '--trust')).toMatchObject(same);
  });

  it('says what has changed, and runs it only with --allow-changed', () => {
    const { place, directory } = runStill('changed');
    writeFileSync(join(place, 'served', 'another'), 'new');
    const refused = netboot(place, 'repro', directory, '--trust');
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(refused.err).toMatch(
      /what was run:\n {2}served: \S+\/served had SHA-256 \w{16}…, and has .*\nhint: .*--allow-changed/,
    );
    expect(netboot(place, 'repro', directory, '--trust', '--allow-changed')).toMatchObject({
      ...same,
      err: expect.stringMatching(/^warning: not the case that was run:\n {2}served: /),
    });
    rmSync(join(place, 'served'), { recursive: true });
    expect(netboot(place, 'repro', directory, '--trust').err).toMatch(/served: no such file/);
  });

  it('says that QEMU is another one', () => {
    const { place, directory } = runStill('qemu');
    const bin = join(place, 'bin');
    mkdirSync(bin);
    const [, real] = /(\S+)\n$/.exec(ran(['command -v qemu-system-x86_64'], place).out) ?? [];
    const script = `#!/bin/sh\ncase $1 in --version) echo QEMU emulator version 99.1 ;; *) exec ${real} "$@" ;; esac\n`;
    writeFileSync(join(bin, 'qemu-system-x86_64'), script, { mode: 0o755 });
    const { PATH: path = '' } = process.env;
    const { code, err } = ran([process.execPath, main, 'repro', directory, '--trust'], place, {
      PATH: `${bin}${delimiter}${path}`,
    });
    expect(code).toBe(3);
    expect(err).toMatch(/ {2}QEMU was \d[\d.]*, now 99\.1\n/);
  });

  it('runs a case that was cut off before its result too', () => {
    const { place, directory } = runStill('cut');
    rmSync(join(place, directory, 'result.json'));
    expect(netboot(place, 'repro', directory, '--trust')).toMatchObject({ code: 0, err: '' });
  });
});

describe('repro --print', () => {
  it("prints QEMU's arguments for a shell, whatever is in them", () => {
    const { place, directory } = runStill('print', { qemuArgs: ['-S', '-name', hostile], expect: asExpected });
    const printed = netboot(place, 'repro', directory, '--print').out;
    const command = printed.slice(printed.indexOf('\n') + 1).replace('qemu-system-x86_64', "printf '%s|'");
    const words = ran([command], place).out.split('|');
    expect(words.slice(words.indexOf('-S'), -1)).toEqual(['-S', '-name', hostile]);
    expect(existsSync(join(place, 'owned'))).toBe(false);
  });
});

describe('repro --standalone', () => {
  it('writes a folder from which plain QEMU boots the same script, wherever it lies', async () => {
    const place = join(folder, 'standalone');
    mkdirSync(place);
    const groups = [{ name: 'rom', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'bundled' }];
    writeFileSync(join(place, 'rom.json'), JSON.stringify({ name: 'rom', groups }));
    const argv = ['repro', '--matrix', 'rom.json', 'rom.x86_64.pc.seabios.e1000.bundled', '--standalone', 'x, y'];
    const written = netboot(place, ...argv);
    expect(written).toMatchObject({ code: 0, err: '' });
    const [command, heading, ...differs] = written.out.trim().split('\n');
    expect([command, heading]).toEqual(["sh 'x, y/run.sh'", 'What differs from a run of the harness:']);
    expect(differs).toContainEqual(expect.stringContaining('option 175'));
    const [, token] = /set nonce (\w+)/.exec(readFileSync(join(place, 'x, y/tftp/boot.ipxe'), 'utf8')) ?? [];

    renameSync(join(place, 'x, y'), join(folder, hostile));
    const guest = spawn('sh', [join(folder, hostile, 'run.sh')], { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
    let shown = '';
    guest.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    try {
      await until('the token', () => shown.includes(`netboot-ok:${token}`), 60_000);
    } finally {
      guest.kill('SIGKILL');
    }
    expect(netboot(place, ...argv, '--trust').code).toBe(0);
    expect(netboot(place, ...argv).err).toMatch(/x, y: expected a new or empty folder/);
  });

  it('needs the trust that a run would need', () => {
    const { place, directory } = runStill('standalone-trust');
    expect(netboot(place, 'repro', directory, '--standalone', 'new')).toMatchObject({ code: 2, out: '' });
    expect(existsSync(join(place, 'new'))).toBe(false);
  });
});

describe('repro.sh', () => {
  it('runs from anywhere, in a folder of any name, with any argument in the plan', () => {
    const { place, directory } = runStill(hostile.replace('/', ''), {
      qemuArgs: ['-S', '-name', hostile],
      kernelArgs: hostile,
      expect: asExpected,
    });
    expect(ran([join(place, directory, 'repro.sh')].concat('--accel', 'tcg'), folder)).toMatchObject(same);
    expect(ran(['./repro.sh', '--accel', 'tcg'], join(place, directory))).toMatchObject(same);
    for (const where of [folder, place, join(place, directory)]) expect(readdirSync(where)).not.toContain('owned');
  });
});

/** The commands that a run prints for what was not as expected. */
const printedCommands = ({ out }: Ran) => [...out.matchAll(/^ {4}again: (.*)$/gm)].map(([, command]) => command ?? '');
const failedAgain = { code: 1, err: '', out: expect.stringMatching(/^as before: failed at no stage$/m) };

describe('printed commands do what they say where they are printed', () => {
  it('from a checkout, and seen from elsewhere', () => {
    const { place, outcome } = runStill('elsewhere', {});
    expect(printedCommands(outcome)).toEqual([
      `node ${join(checkout, 'scripts/netboot.mjs')} repro ${join('out/cases', id)} --trust`,
    ]);
    expect(ran(printedCommands(outcome), place)).toMatchObject(failedAgain);

    const argv = ['run', '--matrix', join(place, 'still.json'), '--out', join(place, 'again'), '--trust'];
    const inside = ran(['npm', 'run', '-s', 'netboot', '--', ...argv], checkout);
    expect(printedCommands(inside)).toEqual([`npm run -s netboot -- repro ${join(place, 'again/cases', id)} --trust`]);
    expect(ran(printedCommands(inside), checkout)).toMatchObject(failedAgain);
    expect(netboot(place, 'list', 'no-such-case').err).toContain(
      `\`node ${join(checkout, 'scripts/netboot.mjs')} list\``,
    );
  });

  it('from an installed package', () => {
    const project = join(folder, 'project');
    installInto(project);
    const { place } = runStill('source', {});
    renameSync(join(place, 'still.json'), join(project, 'still.json'));
    renameSync(join(place, 'served'), join(project, 'served'));
    const run = ran(['npx', 'netboot', 'run', '--matrix', 'still.json', '--out', 'out', '--trust'], project);
    expect(run).toMatchObject({ code: 1, err: '' });
    expect(printedCommands(run)).toEqual([`npx netboot repro ${join('out/cases', id)} --trust`]);
    expect(ran(printedCommands(run), project)).toMatchObject(failedAgain);
    expect(ran([join(project, 'out/cases', id, 'repro.sh')].concat('--accel', 'tcg'), folder)).toMatchObject(
      failedAgain,
    );
  });
});

/** The package as npm packs it, with what it depends on, in a project of its own. */
function installInto(project: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const name of readdirSync(join(checkout, 'node_modules')).filter((entry) => !entry.startsWith('.')))
    symlinkSync(join(checkout, 'node_modules', name), join(modules, name));
  writeFileSync(join(project, 'package.json'), '{}');
  const packed = ran(['npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', project], checkout);
  expect(packed).toMatchObject({ code: 0 });
  expect(ran(['tar', 'xzf', packed.out.trim(), '-C', modules], project)).toMatchObject({ code: 0, err: '' });
  renameSync(join(modules, 'package'), join(modules, 'netboot-harness'));
  mkdirSync(join(modules, '.bin'));
  const { bin } = JSON.parse(readFileSync(join(modules, 'netboot-harness/package.json'), 'utf8'));
  chmodSync(join(modules, 'netboot-harness', bin.netboot), 0o755);
  symlinkSync(join('..', 'netboot-harness', bin.netboot), join(modules, '.bin/netboot'));
}

it('repro --console boots a case that fails only once', () => {
  const place = join(folder, 'console-fails');
  mkdirSync(place);
  const groups = [{ name: 'none', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'none' }];
  writeFileSync(join(place, 'none.json'), JSON.stringify({ name: 'none', groups }));
  const argv = ['--matrix', 'none.json', 'none.x86_64.pc.seabios.e1000.none', '--console', '--accel', 'tcg'];
  const { code, out } = netboot(place, 'repro', ...argv, '--out', 'out');
  expect(code).toBe(1);
  expect(out.match(/No bootable device/g)).toHaveLength(1);
  const { run } = JSON.parse(readFileSync(join(place, 'out/results.json'), 'utf8')).cases[0];
  expect(run.attempts).toHaveLength(1);
});

it('repro --console joins terminal and guest, and Ctrl-] leaves', async () => {
  const place = join(folder, 'console');
  mkdirSync(place);
  const groups = [{ name: 'rom', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'bundled' }];
  writeFileSync(join(place, 'rom.json'), JSON.stringify({ name: 'rom', groups }));
  const command = `exec ${process.execPath} ${main} repro --matrix rom.json rom.x86_64.pc.seabios.e1000.bundled --console --accel tcg --out out`;
  const terminal = spawn('script', ['-qefc', command, '/dev/null'], { cwd: place, stdio: ['pipe', 'pipe', 'inherit'] });
  // A test that fails half-way must not leave its guest behind: without the terminal the program hangs up.
  onTestFinished(() => void terminal.kill('SIGKILL'));
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
  });
  const ended = new Promise<number | null>((resolve) => {
    terminal.once('close', resolve);
  });
  // Pressed until it is taken: a key may come when the banner's two seconds of guest time are over.
  await until('the prompt of iPXE', () => {
    if (shown.includes('Press Ctrl-B') && !shown.includes('iPXE>')) terminal.stdin.write('\x02');
    return shown.includes('iPXE>');
  });
  // Key by key, each echoed before the next: SeaBIOS keeps fifteen keys, and drops what comes faster than the guest reads.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: iPXE fills it
  const typed = 'echo typed to ${net0/chip}';
  for (let count = 1; count <= typed.length; count++) {
    terminal.stdin.write(typed.charAt(count - 1));
    await until(`the echo of "${typed.slice(0, count)}"`, () => shown.includes(typed.slice(0, count)));
  }
  terminal.stdin.write('\r');
  await until("the guest's answer", () => /typed to [^$\s]/.test(shown), 60_000);
  expect(shown).toContain("The guest's serial console; Ctrl-] ends the guest and leaves.");
  terminal.stdin.write('\x1d');
  expect(await ended).toBe(130);
  const { verdict } = JSON.parse(readFileSync(join(place, 'out/results.json'), 'utf8')).cases[0];
  expect(verdict.status).toBe('interrupted');
});
