import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { readCaseResult, readEvents, readPlan } from '../../harness/run/records/run-directory.ts';
import { compile, compiled, openWorkplace, until, type Workplace } from './cli.ts';
import { day, neverRuns } from './never-runs.ts';

beforeAll(compile, 120_000);

const main = join(compiled, 'cli/main.js');

const finishes = {
  name: 'finishes',
  arch: 'x86_64',
  firmware: 'seabios',
  nic: 'e1000',
  rom: 'none',
  expect: { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'there is no ROM' },
};
/** QEMU never lets this guest run. Its firmware has a variable store, of which QEMU makes a temporary copy. */
const waits = (deadlineMs: number) => ({
  name: 'waits',
  arch: 'x86_64',
  firmware: 'ovmf',
  nic: 'e1000',
  rom: 'none',
  ...neverRuns(deadlineMs),
});
const ids = { finished: 'finishes.x86_64.pc.seabios.e1000.none', waiting: 'waits.x86_64.q35.ovmf.e1000.none' };

const caseOf = ({ folder }: Workplace, id: string): string => join(folder, 'out', 'cases', id);
const resultsOf = ({ folder }: Workplace) =>
  runResultSchema.parse(JSON.parse(readFileSync(join(folder, 'out/results.json'), 'utf8')));

/** The pid of the guest that waits, once there is one. */
function waitingGuest(place: Workplace): Promise<number> {
  const log = caseOf(place, ids.waiting);
  return until('the guest that waits', () => {
    if (!existsSync(join(log, 'events.jsonl'))) return undefined;
    const spawned = readEvents(log).find((event) => event.source === 'vm' && event.type === 'spawned');
    return spawned?.source === 'vm' && spawned.type === 'spawned' ? spawned.pid : undefined;
  });
}

/** Starts the command line on a case that finishes and one that waits, and gives it when the second one runs. */
async function startWaiting(place: Workplace, deadlineMs = day) {
  const matrix = place.write('matrix.json', { name: 'clean-up', groups: [finishes, waits(deadlineMs)] });
  const options = ['--out', 'out', '--accel', 'tcg', '--jobs', '2', '--trust'];
  const run = place.start(main, 'run', '--matrix', matrix, ...options);
  const pid = await waitingGuest(place);
  await until('the finished case', () => existsSync(join(caseOf(place, ids.finished), 'result.json')));
  const guest = place.survivors().find((process) => process.pid === pid);
  expect(guest?.command).toMatch(/^qemu-system-x86_64 /);
  return run;
}

function expectNothingLeft(place: Workplace): void {
  expect(place.survivors()).toEqual([]);
  expect(place.leftovers()).toEqual([]);
}

describe('nothing is left behind', () => {
  it('after success, with an HTTP server and a way out for it', async () => {
    using place = openWorkplace();
    const { expect: _, ...group } = { ...finishes, rom: 'bundled', transport: 'http' };
    const matrix = place.write('matrix.json', { name: 'clean-up', groups: [group] });
    const run = await place.start(main, 'run', '--matrix', matrix, '--out', 'out', '--accel', 'tcg').finished;
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expectNothingLeft(place);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('after %s, and records are complete', async (signal) => {
    using place = openWorkplace();
    const run = await startWaiting(place);
    run.kill(signal);
    const { exitCode, stderr } = await run.finished;
    expectNothingLeft(place);
    expect(exitCode).toBe(130);
    expect(stderr).toContain(`${signal}: ending guests and completing records`);
    expect(resultsOf(place).cases.map(({ id, verdict }) => [id, verdict.status])).toEqual([
      [ids.finished, 'passed'],
      [ids.waiting, 'interrupted'],
    ]);
    for (const id of Object.values(ids)) {
      const directory = caseOf(place, id);
      expect(readCaseResult(directory)?.verdict).toEqual(judge(readPlan(directory), readEvents(directory)));
    }
  });

  it('after a second signal, which waits for nothing', async () => {
    using place = openWorkplace();
    const run = await startWaiting(place);
    run.kill('SIGINT');
    run.kill('SIGINT');
    expect((await run.finished).exitCode).toBe(130);
    await until('the end of the guest', () => place.survivors().length === 0, 5_000);
  });

  it('after SIGKILL, and the run is resumed', async () => {
    using place = openWorkplace();
    const run = await startWaiting(place, 3_000);
    run.kill('SIGKILL');
    expect((await run.finished).signal).toBe('SIGKILL');
    await until('the end of the guest', () => place.survivors().length === 0, 5_000);
    expectNothingLeft(place);

    const finished = readCaseResult(caseOf(place, ids.finished));
    expect(finished?.verdict).toMatchObject({ status: 'passed' });
    const cut = caseOf(place, ids.waiting);
    expect(readCaseResult(cut)).toBeUndefined();
    expect(judge(readPlan(cut), readEvents(cut)).status).toBe('interrupted');

    const again = await place.start(main, 'run', '--resume', 'out', '--accel', 'tcg', '--trust').finished;
    expect(again).toMatchObject({ exitCode: 0, stderr: '' });
    const { cases } = resultsOf(place);
    expect(cases.map(({ id, verdict }) => [id, verdict.status])).toEqual([
      [ids.finished, 'passed'],
      [ids.waiting, 'passed'],
    ]);
    expect(cases[0]).toEqual(finished);
    expectNothingLeft(place);
  });

  it('after a second process that wanted the same directory: it ends with the name of the first, which goes on', async () => {
    using place = openWorkplace();
    const run = await startWaiting(place, 20_000);
    const before = readEvents(caseOf(place, ids.waiting)).length;
    for (const want of [
      ['--resume', 'out', '--trust'],
      ['--matrix', 'matrix.json', '--out', 'out', '--trust'],
    ]) {
      const { exitCode, stdout, stderr } = await place.start(main, 'run', ...want, '--accel', 'tcg').finished;
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toContain(`out: process ${run.pid} is running cases in it\n`);
      expect(stderr).toContain('hint: Wait for it to end');
    }
    expect(readEvents(caseOf(place, ids.waiting)).length).toBeGreaterThanOrEqual(before);
    expect(await run.finished).toMatchObject({ exitCode: 0, stderr: '' });
    expect(resultsOf(place).totals).toMatchObject({ passed: 2 });
    expect(existsSync(join(place.folder, 'out/run.lock'))).toBe(false);
    expectNothingLeft(place);
  });

  it('after reports that could not be written, and the run has failed', async () => {
    using place = openWorkplace();
    const matrix = place.write('matrix.json', { name: 'clean-up', groups: [finishes] });
    // A folder where the report should go.
    const run = place.start(main, 'run', '--matrix', matrix, '--out', 'out', '--accel', 'tcg');
    const blocked = join(place.folder, 'out/results.json/full');
    await until('the run directory', () => existsSync(join(place.folder, 'out')));
    mkdirSync(blocked, { recursive: true });
    const { exitCode, stderr } = await run.finished;
    expect(exitCode).toBe(1);
    expect(stderr).toContain('reporter files failed in onRunEnd');
    expectNothingLeft(place);
  });

  it.each(['onRunStart', 'onCaseStart', 'onStage', 'onCaseEnd', 'onRunEnd'])(
    'after an exception in %s of a reporter, which ends the run',
    async (hook) => {
      using place = openWorkplace();
      const script = place.write('run.mjs', scriptThatThrows(hook));
      const { exitCode, stdout } = await place.start(script).finished;
      expectNothingLeft(place);
      expect(stdout).toBe(`rejected: the reporter threw in ${hook}\n`);
      expect(exitCode).toBe(0);
    },
  );
});

/** A program of a user's own; it ends by itself only where nothing is left that keeps it. */
function scriptThatThrows(hook: string): string {
  const { expect: _, ...stages } = finishes;
  const groups = hook === 'onCaseStart' ? [waits(day)] : [{ ...stages, rom: 'bundled' }];
  return `
    import { expandMatrix, parseMatrix, runMatrix } from '${compiled}/index.js';
    import { openArtefacts } from '${compiled}/cli/artefacts.js';
    const matrix = parseMatrix(${JSON.stringify({ name: 'x', groups })}, 'x');
    const signal = new AbortController().signal;
    const reporter = { ${hook}() { throw new Error('the reporter threw in ${hook}'); } };
    await runMatrix({
      ...(await openArtefacts([], process)), matrixName: 'x', cells: expandMatrix(matrix).cells, outDir: 'out',
      accel: 'tcg', repeat: 1, reporter, signal,
    }).then(() => console.log('resolved'), (error) => console.log('rejected: ' + error.message));
  `;
}
