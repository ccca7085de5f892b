import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { readCaseResult, readEvents } from '../../../harness/run/records/run-directory.ts';
import type { RunOptions } from '../../../harness/run/run-matrix.ts';
import { bios, cellsOf, frozen, openHost, planOf, runCells } from '../../run/rig.ts';
import { folderOfFile } from '../../temporary-folder.ts';

const folder = folderOfFile();
let count = 0;
afterAll(() => {
  vi.unstubAllEnvs();
});

/** What a guest that is never let run does. */
const silence = { stopsAt: 'firmware', failure: 'deadline', reason: 'QEMU does not let it run' };

/** Runs the cells of one group and gives back the one result, its directory and its events. */
async function runOne(group: object, options: Partial<RunOptions> = {}) {
  const outDir = join(folder, `run-${++count}`);
  const { cases } = await runCells(outDir, cellsOf({ name: 'one', ...group }), options);
  const [result] = cases;
  if (!result || cases.length > 1) throw new Error(`expected one case, saw ${cases.length}`);
  const directory = result.run.directory === null ? undefined : join(outDir, result.run.directory);
  return { result, outDir, directory, events: directory === undefined ? [] : readEvents(directory) };
}

/** The real QEMU behind a script of the same name that counts its guests. */
function countedQemu(beforeStart = ''): { starts(): number } {
  const bin = mkdtempSync(join(folder, 'bin-'));
  const log = join(bin, 'starts');
  const program = 'qemu-system-x86_64';
  const { PATH: path = '' } = process.env;
  const real = path
    .split(delimiter)
    .map((dir) => join(dir, program))
    .find((candidate) => existsSync(candidate));
  const script = [
    '#!/bin/sh',
    `log=${log}`,
    `case "$*" in *-netdev*) echo start >> $log; ${beforeStart} ;; esac`,
    `exec ${real} "$@"`,
  ];
  writeFileSync(join(bin, program), `${script.join('\n')}\n`);
  chmodSync(join(bin, program), 0o755);
  vi.stubEnv('PATH', `${bin}${delimiter}${path}`);
  return { starts: () => (existsSync(log) ? readFileSync(log, 'utf8').split('\n').length - 1 : 0) };
}

describe('a case that QEMU refuses', () => {
  it.each([
    ['an option it does not know', { qemuArgs: ['-no-such-option'] }, 'no-such-option'],
    ['a device it does not know', { qemuArgs: ['-device', 'no-such-device'] }, 'no-such-device'],
    ['a machine it does not know', { machine: 'no-such-machine' }, 'unsupported machine type'],
    ['a CPU it does not know', { cpu: 'no-such-cpu' }, 'no-such-cpu'],
  ])('for %s is an error in its words, and not tried again', async (_, fields, words) => {
    const qemu = countedQemu();
    const { result, events } = await runOne({ ...bios, ...fields });
    vi.unstubAllEnvs();
    expect(result.verdict).toMatchObject({ status: 'error', lastStage: null });
    expect(result.run.attempts).toHaveLength(1);
    expect(result.verdict.diagnosis).toMatch(/^The harness could not tell: QEMU would not start: /);
    expect(result.verdict.diagnosis).toContain(words);
    expect(events.at(-1)).toMatchObject({ source: 'run', type: 'ended', reason: 'infrastructure' });
    expect(qemu.starts()).toBe(1);
  });

  it('by a signal is an error too, and tried again', async () => {
    const qemu = countedQemu('kill -SEGV $$');
    const { result } = await runOne(bios);
    vi.unstubAllEnvs();
    expect(result.verdict).toMatchObject({ status: 'error', diagnosis: expect.stringContaining('SIGSEGV') });
    expect(qemu.starts()).toBe(3);
  });
});

describe('a case that this host cannot run', () => {
  it.each([['a NIC that QEMU does not have', { nic: 'no-such-nic' }, 'has no device no-such-nic']])(
    'for want of %s is not run, with the reason',
    async (_, fields, reason) => {
      const { result } = await runOne({ ...bios, rom: 'none', ...fields });
      expect(result).toMatchObject({ verdict: { status: 'not-run' }, run: { attempts: [], directory: null } });
      expect(result.verdict.diagnosis).toContain(reason);
    },
  );

  it('for want of QEMU is not run, and the run says so', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    const { result } = await runOne(bios);
    vi.unstubAllEnvs();
    expect(result.verdict).toMatchObject({
      status: 'not-run',
      diagnosis: expect.stringContaining('qemu-system-x86_64 is not installed'),
    });
  });
});

describe('a guest that fails', () => {
  it('is run once more into a directory of its own, and stays failed', async () => {
    const qemu = countedQemu();
    const attempts: number[] = [];
    const { result, directory = '' } = await runOne(
      { ...bios, rom: 'none' },
      { reporter: { onCaseStart: ({ attempt }) => void attempts.push(attempt) } },
    );
    vi.unstubAllEnvs();
    expect(result.verdict).toMatchObject({
      status: 'failed',
      stoppedAt: 'dhcp',
      failure: { rule: 'seabios-no-boot' },
    });
    expect(readCaseResult(directory)).toEqual(result);
    const second = readEvents(join(directory, 'attempt-2'));
    expect(second[0]).toMatchObject({ source: 'run', type: 'started', attempt: 2 });
    expect(attempts).toEqual([1, 2]);
    expect(qemu.starts()).toBe(2);
  });

  it('and passes the second time is flaky, and never passed', async () => {
    // QEMU leaves the ROM away the first time.
    countedQemu('[ "$(wc -l < "$log")" -gt 1 ] || set -- "$@" -global e1000.romfile=');
    const { result, directory = '' } = await runOne({ ...bios, stagePath: ['firmware', 'dhcp', 'config'] });
    vi.unstubAllEnvs();
    expect(result.verdict).toMatchObject({ status: 'flaky', stoppedAt: 'dhcp' });
    expect(result.run.attempts.map(({ status }) => status)).toEqual(['failed', 'passed']);
    const ended = readEvents(join(directory, 'attempt-2')).find(({ type }) => type === 'ended');
    expect(ended).toMatchObject({ reason: 'complete' });
  });

  it.each([
    ['before its second attempt', 0],
    ['during its second attempt', 500],
  ])('and is stopped %s is interrupted: nobody knows whether it is flaky', async (_, deadlineMs) => {
    const interruption = new AbortController();
    const outDir = join(folder, `run-${count + 1}`);
    const id = 'one.x86_64.pc.seabios.e1000.none';
    const begun = join(outDir, 'cases', id, 'attempt-2', 'plan.json');
    const stop = async (): Promise<void> => {
      while (deadlineMs > 0 && !existsSync(begun)) await nextTurn();
      interruption.abort();
    };
    const { result } = await runOne(
      deadlineMs === 0 ? { ...bios, rom: 'none' } : { ...frozen, deadlines: { stageMs: { firmware: deadlineMs } } },
      {
        signal: interruption.signal,
        reporter: { onCaseStart: ({ attempt }) => void (attempt === 2 && stop()) },
      },
    );
    expect(result).toMatchObject({
      id,
      verdict: {
        status: 'interrupted',
        diagnosis: expect.stringMatching(/^Interrupted before a second attempt could show .* Stopped at /),
      },
      run: { directory: `cases/${id}` },
    });
    expect(readCaseResult(join(outDir, 'cases', id))).toEqual(result);
  });

  it('by silence is ended by its deadline', async () => {
    const { result, events } = await runOne({ ...frozen, deadlines: { stageMs: { firmware: 300 } } });
    expect(result.verdict).toMatchObject({ status: 'failed', lastStage: null, failure: { rule: 'deadline' } });
    expect(result.run.attempts).toHaveLength(2);
    expect(result.verdict.diagnosis).toContain('no firmware stage within 0 s');
    expect(events).toContainEqual(expect.objectContaining({ source: 'run', type: 'deadline', stage: 'firmware' }));
    expect(events.at(-1)).toMatchObject({ source: 'vm', type: 'exited', byHarness: true });
  });

  it('by being at rest for longer than any known pause is ended early, and reported as such', async () => {
    const impatient: RunOptions['intervene'] = (plan) => ({
      plan: { ...plan, deadlines: { ...plan.deadlines, restMs: { firmware: 1_500 } } },
    });
    const { result, events } = await runOne(frozen, { intervene: impatient });
    expect(result.verdict).toMatchObject({ status: 'failed', lastStage: null, failure: { rule: 'silent' } });
    expect(result.verdict.diagnosis).toContain('no firmware stage, and the guest is at rest: for 2 s no work');
    expect(events.filter(({ type }) => type === 'deadline')).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'ended', reason: 'silent' }));
  });

  it('by silence where silence is expected has passed, at once', async () => {
    const qemu = countedQemu();
    const { result } = await runOne({ ...frozen, deadlines: { stageMs: { firmware: 300 } }, expect: silence });
    vi.unstubAllEnvs();
    expect(result).toMatchObject({ verdict: { status: 'passed' }, run: { attempts: [{ status: 'passed' }] } });
    expect(qemu.starts()).toBe(1);
  });

  it('by a fault of QEMU says nothing of the guest, however often it happens', async () => {
    const trigger = join(folder, 'kill-it');
    const crash = `rm ${trigger}; kill -SEGV $$`;
    const qemu = countedQemu(
      `(while [ ! -e ${trigger} ] && kill -0 $$; do sleep 0.05; done; ${crash}) <&- 3>&- 4>&- 5>&- &`,
    );
    const { result } = await runOne(bios, {
      reporter: { onStage: ({ stage }) => void (stage === 'firmware' && writeFileSync(trigger, '')) },
    });
    vi.unstubAllEnvs();
    expect(result.verdict).toMatchObject({ status: 'error', failure: { rule: 'guest-gone' } });
    expect(result.verdict.diagnosis).toContain('QEMU ended by itself (SIGSEGV)');
    expect(qemu.starts()).toBe(3);
  });
});

describe('a guest that others keep from running', () => {
  it('by a pause cannot be judged, and that is said at once', async () => {
    const { result } = await runOne(bios, {
      intervene: (plan) => ({ plan, begin: ({ guest }) => void guest.qmp.execute('stop') }),
    });
    expect(result.verdict.status).toBe('error');
    expect(result.verdict.diagnosis).toContain('someone else had QEMU pause the guest');
  });

  it('by stopping QEMU itself has not been silent when its time is up', async () => {
    const { result, events } = await runOne(
      { ...frozen, deadlines: { stageMs: { firmware: 300 } } },
      { intervene: (plan) => ({ plan, begin: ({ guest }) => void process.kill(guest.pid, 'SIGSTOP') }) },
    );
    expect(result.verdict.status).toBe('error');
    expect(result.verdict.diagnosis).toContain('QEMU itself hangs');
    expect(events.some(({ type }) => type === 'deadline' || type === 'silent')).toBe(false);
  });
});

it('meets the faults of its scenario also where it is broken on purpose', async () => {
  const passed: number[] = [];
  const faults = [{ match: { protocol: 'dhcp', message: 'offer' }, drop: { first: 1 } }];
  const { result, events } = await runOne(
    { ...bios, faults },
    {
      intervene: (plan) => ({
        plan,
        faults(frame, _, deliver) {
          passed.push(frame.length);
          deliver(frame);
        },
      }),
    },
  );
  expect(result.verdict).toMatchObject({ status: 'passed', diagnosis: null });
  expect(events.filter(({ type }) => type === 'fault')).toHaveLength(1);
  expect(passed.length).toBeGreaterThan(0);
});

it('cannot tell of a guest whose QEMU was killed from outside, and tries again', async () => {
  const qemu = countedQemu('kill -KILL $$');
  const { result } = await runOne(frozen);
  vi.unstubAllEnvs();
  expect(result.verdict).toMatchObject({
    status: 'error',
    diagnosis: expect.stringContaining('killed from outside (SIGKILL)'),
  });
  expect(qemu.starts()).toBe(3);
});

describe('an input that changes while the run goes on', () => {
  /** A copy of the ROM that boots, which a test may change. */
  async function ownRom(): Promise<string> {
    const [cell] = cellsOf({ name: 'plain', ...bios });
    const { inputs } = await planOf(cell!, await openHost());
    const rom = join(folder, `rom-${++count}`);
    copyFileSync(inputs.find(({ role }) => role === 'oprom')?.path ?? '', rom);
    return rom;
  }
  const change = (path: string) => writeFileSync(path, Buffer.alloc(512));

  it('before a case starts is an error that names it: what would boot is not what was looked at', async () => {
    const rom = await ownRom();
    const qemu = countedQemu();
    const { cases } = await runCells(
      join(folder, `run-${++count}`),
      cellsOf({ name: 'one', ...bios, rom: { file: rom } }),
      {
        repeat: 2,
        reporter: { onCaseEnd: () => change(rom) },
      },
    );
    vi.unstubAllEnvs();
    expect(cases.map(({ verdict }) => verdict.status)).toEqual(['passed', 'error']);
    expect(cases[1]?.verdict.diagnosis).toMatch(
      new RegExp(`${rom} changed since the run began: it had SHA-256 \\w{64}, and has \\w{64}`),
    );
    expect(qemu.starts()).toBe(1);
  });

  it('while its guest runs is an error too, also in a folder that is served', async () => {
    const served = join(folder, `served-${++count}`);
    mkdirSync(served);
    const { result } = await runOne(
      { ...bios, serve: { extra: { path: served } } },
      {
        reporter: {
          onStage: ({ stage }) => void (stage === 'firmware' && writeFileSync(join(served, String(Math.random())), '')),
        },
      },
    );
    expect(result.verdict).toMatchObject({ status: 'error', diagnosis: expect.stringContaining(`${served} changed`) });
  });

  it('is no change where it is only written anew', async () => {
    const rom = await ownRom();
    const content = readFileSync(rom);
    const { result } = await runOne(
      { ...bios, rom: { file: rom } },
      { reporter: { onCaseStart: () => writeFileSync(rom, content) } },
    );
    expect(result.verdict.status).toBe('passed');
  });
});

describe('a run that is interrupted', () => {
  it('ends its guest, keeps what is finished, and reports what never began', async () => {
    const interruption = new AbortController();
    const noRom = { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'no ROM' };
    const outDir = join(folder, 'interrupted');
    const cells = cellsOf(
      // They are expected to take as long as one another, and so start in this order.
      { name: 'a', ...bios, rom: 'none', expect: noRom },
      { name: 'b', ...frozen, expect: noRom },
      { name: 'c', ...frozen, expect: noRom },
    );
    const { cases, totals } = await runCells(outDir, cells, {
      signal: interruption.signal,
      reporter: { onCaseStart: ({ id }) => void (id.startsWith('b.') && setImmediate(() => interruption.abort())) },
    });
    expect(cases.map(({ verdict }) => verdict.status)).toEqual(['passed', 'interrupted', 'interrupted']);
    expect(cases[1]?.verdict.diagnosis).toBe('The run was interrupted.');
    expect(cases[2]?.verdict.diagnosis).toBe('The run ended before this case started.');
    expect(totals).toMatchObject({ passed: 1, interrupted: 2 });
    const again = await runCells(outDir, [], { resume: true, signal: AbortSignal.abort() });
    expect(again.cases.map(({ verdict }) => verdict.status)).toEqual(['passed', 'interrupted', 'interrupted']);
    expect(again.cases[0]).toEqual(cases[0]);
  });

  it('before it began starts nothing', async () => {
    const qemu = countedQemu();
    const { result } = await runOne(bios, { signal: AbortSignal.abort() });
    vi.unstubAllEnvs();
    expect(result.verdict.status).toBe('interrupted');
    expect(qemu.starts()).toBe(0);
  });
});

it('refuses a case whose plan cannot be made before it makes a folder or starts another', async () => {
  const outDir = join(folder, 'refused');
  const serve = { 'not-served': { patch: [{ offset: 0, ascii: 'x' }] } };
  const cells = cellsOf({ name: 'fine', ...frozen }, { name: 'bad', ...frozen, serve });
  await expect(runCells(outDir, cells)).rejects.toMatchObject({
    code: 'bad-matrix',
    message: expect.stringContaining('bad.x86_64.pc.seabios.e1000.none: serve["not-served"]'),
  });
  expect(existsSync(outDir)).toBe(false);
});

it('runs many guests at once without a word from Node about listeners', async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', note);
  const cells = cellsOf({ name: 'many', ...frozen, deadlines: { stageMs: { firmware: 1_000 } }, expect: silence });
  const { totals } = await runCells(join(folder, 'many'), cells, { repeat: 12, jobs: 12 });
  process.off('warning', note);
  expect({ passed: totals.passed, warnings }).toEqual({ passed: 12, warnings: [] });
});

describe('repeats', () => {
  it('have directories of their own, and are compared', async () => {
    const outDir = join(folder, 'repeats');
    const { cases, notes } = await runCells(
      outDir,
      cellsOf({
        name: 'a',
        ...bios,
        rom: 'none',
        expect: { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'no ROM' },
      }),
      { repeat: 3, jobs: 2 },
    );
    const id = 'a.x86_64.pc.seabios.e1000.none';
    expect(cases.map((one) => one.id)).toEqual([id, `${id}~2`, `${id}~3`]);
    expect(cases.map(({ verdict }) => verdict.status)).toEqual(['passed', 'passed', 'passed']);
    expect(notes).toEqual(['all 1 cells agree with themselves over 3 repeats']);
    const nonces = cases.map(
      ({ run }) => JSON.parse(readFileSync(join(outDir, run.directory ?? '', 'plan.json'), 'utf8')).nonce,
    );
    expect(new Set(nonces).size).toBe(3);
  });

  it('into a directory that holds another run are refused', async () => {
    await expect(runCells(join(folder, 'repeats'), [])).rejects.toThrow('it already holds a run');
  });
});
