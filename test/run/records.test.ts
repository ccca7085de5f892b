import {
  appendFileSync,
  closeSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { recordBounds } from '../../harness/model/bounds.ts';
import { HarnessError } from '../../harness/model/errors.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { openRecords } from '../../harness/run/records/attempt-records.ts';
import { caseFiles, writeRecord } from '../../harness/run/records/case-directory.ts';
import { claimRunDirectory } from '../../harness/run/records/claim-directory.ts';
import { openEventLog } from '../../harness/run/records/event-log.ts';
import {
  caseDirectoriesOf,
  type RunRecord,
  readCaseResult,
  readEvents,
  readPlan,
  readRunRecord,
} from '../../harness/run/records/run-directory.ts';
import { folderOfFile } from '../temporary-folder.ts';

const recorded = fileURLToPath(new URL('../../fixtures/runs/bios-no-driver', import.meta.url));

const folder = folderOfFile();
let count = 0;

/** A case directory as a run leaves it. */
function caseDirectory(): string {
  const directory = join(folder, `run-${++count}`, 'cases', 'one');
  cpSync(recorded, directory, { recursive: true });
  return directory;
}

function refusal(act: () => unknown): { code: string; message: string; hint: string | undefined } {
  try {
    act();
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  throw new Error('nothing was refused');
}

describe('an event log', () => {
  const lines = (directory: string) => join(directory, caseFiles.events);
  const whole = readEvents(recorded);

  it.each([1, 20, 60])('that a kill cut off within its last line is read without it (%d bytes left)', (left) => {
    const directory = caseDirectory();
    appendFileSync(lines(directory), JSON.stringify(whole[1]).slice(0, left));
    expect(readEvents(directory)).toEqual(whole);
  });

  it('that a kill left empty is empty', () => {
    const directory = caseDirectory();
    writeFileSync(lines(directory), '');
    expect(readEvents(directory)).toEqual([]);
  });

  it.each([
    ['no JSON', '{"tMs": 1, "sou', 'it is not JSON'],
    [
      'an event of no known type',
      '{"tMs":1,"source":"wire","type":"token-ring"}',
      'it is not an event of this version',
    ],
    ['an event without a time', '{"source":"qmp","type":"status","status":"running"}', 'it is not an event'],
    ['an empty line', '', 'it is not JSON'],
  ])('with %s in it names the line', (_, line, what) => {
    for (const torn of ['', '{"tMs"']) {
      const directory = caseDirectory();
      const [first, second, ...rest] = readFileSync(lines(directory), 'utf8').split('\n');
      writeFileSync(lines(directory), [first, second, line, ...rest].join('\n') + torn);
      const { code, message, hint } = refusal(() => readEvents(directory));
      expect(code).toBe('bad-event-log');
      expect(message).toContain(`${lines(directory)}, line 3: ${what}`);
      expect(hint).toBeTruthy();
    }
  });

  it('that is not there is named', () => {
    const directory = caseDirectory();
    rmSync(lines(directory));
    expect(refusal(() => readEvents(directory))).toMatchObject({
      code: 'bad-event-log',
      message: expect.stringContaining(lines(directory)),
    });
  });
});

describe('a run directory', () => {
  it('lists its cases, and a case directory itself', () => {
    const directory = caseDirectory();
    expect(caseDirectoriesOf(join(directory, '../..'))).toEqual([directory]);
    expect(caseDirectoriesOf(directory)).toEqual([directory]);
  });

  it('passes over a case that was cut off before its plan was written', () => {
    const directory = caseDirectory();
    mkdirSync(join(directory, '../two'));
    expect(caseDirectoriesOf(join(directory, '../..'))).toEqual([directory]);
  });

  it.each([
    ['nothing there', () => join(folder, 'nowhere'), 'there is no such file or directory'],
    ['a file', () => join(caseDirectory(), caseFiles.plan), 'it is not a directory'],
    ['a path through a file', () => join(caseDirectory(), caseFiles.plan, 'x'), 'it cannot be read'],
    ['a name too long', () => join(folder, 'x'.repeat(300)), 'it cannot be read'],
    ['another folder', () => folder, 'it holds neither plan.json nor cases/'],
  ])('is refused by name where it is %s', (_, path, what) => {
    const { code, message, hint } = refusal(() => caseDirectoriesOf(path()));
    expect(code).toBe('bad-run-directory');
    expect(message).toContain(what);
    expect(hint).toContain('--out');
  });

  it('is refused where cases is no folder', () => {
    const run = join(folder, 'no-folder');
    mkdirSync(run);
    writeFileSync(join(run, 'cases'), '');
    expect(refusal(() => caseDirectoriesOf(run)).message).toContain('cases');
  });

  const record: RunRecord = { version: 1, matrix: 'm', startedAt: '2026-02-03T04:05:06.789Z', cells: [], repeat: 1 };

  it('takes one run, of many that want it at once', async () => {
    const run = join(folder, 'claimed');
    const claims = await Promise.allSettled([1, 2, 3].map((repeat) => claimRunDirectory({ ...record, repeat }, run)));
    expect(claims.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    const winner = claims.findIndex(({ status }) => status === 'fulfilled');
    expect(readRunRecord(run).repeat).toBe(winner + 1);
    for (const claim of claims) {
      if (claim.status === 'fulfilled') claim.value.lock[Symbol.dispose]();
      else {
        const message = `${run}: process ${process.pid} is running cases in it`;
        expect(claim.reason).toMatchObject({ code: 'bad-run-directory', message });
      }
    }
  });

  it('is refused where it holds a run that has ended, and is left as it was', async () => {
    const run = join(folder, 'ended');
    const { lock } = await claimRunDirectory(record, run);
    lock[Symbol.dispose]();
    const left = readdirSync(run);
    await expect(claimRunDirectory(record, run)).rejects.toMatchObject({
      code: 'bad-run-directory',
      message: `${run}: it already holds a run`,
      hint: expect.stringContaining('--resume'),
    });
    expect(readdirSync(run)).toEqual(left);
    expect(left.sort()).toEqual(['cases', 'run.json']);
  });

  it('takes a run where a process was killed before it had begun one', async () => {
    const run = join(folder, 'not-begun');
    mkdirSync(join(run, 'cases'), { recursive: true });
    writeFileSync(join(run, 'run.json.0123abcd.part'), '{');
    const { lock } = await claimRunDirectory(record, run);
    lock[Symbol.dispose]();
    expect(readRunRecord(run)).toEqual(record);
    expect(readdirSync(run).sort()).toEqual(['cases', 'run.json']);
    mkdirSync(join(folder, 'of-cases', 'cases', 'one'), { recursive: true });
    await expect(claimRunDirectory(record, join(folder, 'of-cases'))).rejects.toThrow('it already holds a run');
  });

  it.skipIf(process.getuid?.() === 0)('cannot be locked where nothing can be written', async () => {
    const run = join(folder, 'read-only');
    mkdirSync(run, { mode: 0o500 });
    await expect(claimRunDirectory(record, run)).rejects.toMatchObject({
      code: 'disk',
      message: expect.stringContaining(run),
    });
  });

  it('cannot be made below a file', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    await expect(claimRunDirectory(record, join(file, 'x'))).rejects.toThrow('it or a parent is a file');
  });

  it('is named by the time where no name is given, also for runs that start within the same second', async () => {
    const before = process.cwd();
    process.chdir(mkdtempSync(join(folder, 'current-')));
    try {
      const claimed = await Promise.all([1, 2, 3].map(() => claimRunDirectory(record)));
      expect(claimed.map(({ outDir }) => relative(process.cwd(), outDir)).sort()).toEqual([
        '.runs/2026-02-03T04-05-06',
        '.runs/2026-02-03T04-05-06-2',
        '.runs/2026-02-03T04-05-06-3',
      ]);
    } finally {
      process.chdir(before);
    }
  });
});

describe('records', () => {
  it.each([
    ['no JSON', '{"version": 1,', 'it is not JSON, or is truncated'],
    ['of something else', '{"version": 2}', 'unexpected content'],
  ])('that are %s are named', (_, text, what) => {
    const directory = caseDirectory();
    for (const [file, read] of [
      [caseFiles.plan, readPlan],
      [caseFiles.result, readCaseResult],
      ['run.json', readRunRecord],
    ] as const) {
      writeFileSync(join(directory, file), text);
      const { code, message } = refusal(() => read(directory));
      expect(code).toBe('bad-run-directory');
      expect(message).toContain(`${join(directory, file)}: ${what}`);
    }
  });

  it('of a case that has no result yet are none', () => {
    const directory = caseDirectory();
    rmSync(join(directory, caseFiles.result));
    expect(readCaseResult(directory)).toBeUndefined();
  });

  it('are replaced as a whole: who reads one meanwhile has the old one to its end', async () => {
    const path = join(caseDirectory(), caseFiles.result);
    const before = readFileSync(path, 'utf8');
    const reader = openSync(path, 'r');
    await writeRecord(path, { new: true });
    expect(readFileSync(reader, 'utf8')).toBe(before);
    expect(readFileSync(path, 'utf8')).toBe('{\n  "new": true\n}\n');
    closeSync(reader);
  });
});

describe('what cannot be closed', () => {
  it.each<[string, Error, string]>([
    ['a file of another user', Object.assign(new Error('permission denied'), { code: 'EACCES' }), 'internal'],
    ['a full disk', Object.assign(new Error('no space'), { code: 'ENOSPC' }), 'disk'],
    ['a capture that cannot be written', new HarnessError('disk', 'no space'), 'disk'],
    ['a server', new HarnessError('server-failed', 'it hangs'), 'server-failed'],
  ])('is the trouble of what it was: %s', async (_, error, code) => {
    const records = openRecords(mkdtempSync(join(folder, 'close-')), () => {});
    records.onCloseTrouble(error);
    expect(records.events()).toMatchObject([
      { type: 'infrastructure', code, message: expect.stringContaining(error.message) },
    ]);
    await records.close();
  });
});

describe('an event log that is written', () => {
  it('stamps events, tells them, and leaves them as they can be read again', () => {
    const directory = join(folder, 'event-log');
    mkdirSync(directory);
    const told: HarnessEvent[] = [];
    const log = openEventLog(join(directory, caseFiles.events), (event) => told.push(event));
    log.emit({ source: 'run', type: 'started', caseId: 'ü\n"', attempt: 1, at: '2026-01-02T03:04:05Z' });
    for (let pid = 0; pid < 1000; pid++) log.emit({ source: 'vm', type: 'spawned', pid, accel: 'tcg' });
    log.close();
    log.close();
    log.emit({ source: 'qmp', type: 'status', status: 'too late' });
    expect(told).toHaveLength(1001);
    expect(log.read()).toEqual(told);
    expect(readEvents(directory)).toEqual(told);
    const times = told.map(({ tMs }) => tMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('reaches the disk while its case goes on', async () => {
    const directory = mkdtempSync(join(folder, 'log-'));
    const log = openEventLog(join(directory, caseFiles.events), () => {});
    for (const pid of [1, 2]) {
      log.emit({ source: 'vm', type: 'spawned', pid, accel: 'tcg' });
      await vi.waitFor(() => expect(readEvents(directory)).toHaveLength(pid), { timeout: 10_000 });
    }
    log.close();
  });

  it('gives back what it has so far, and says so where the file no longer has it', () => {
    const directory = join(folder, 'read-back');
    mkdirSync(directory);
    const path = join(directory, caseFiles.events);
    const log = openEventLog(path, () => {});
    const pidsIn = () => log.read().map((event) => 'pid' in event && event.pid);
    const spawned = (pid: number) => log.emit({ source: 'vm', type: 'spawned', pid, accel: 'tcg' });
    expect(pidsIn()).toEqual([]);
    spawned(1);
    expect(pidsIn()).toEqual([1]);
    spawned(2);
    expect(pidsIn()).toEqual([1, 2]);
    log.close();
    expect(pidsIn()).toEqual([1, 2]);
    truncateSync(path, 10);
    expect(pidsIn).toThrow(/events\.jsonl cannot be read back: 0 of 2 events are left/);
  });

  it('tells of a disk that fails at its very end, and has that among its events', () => {
    const log = openEventLog(
      '/dev/full',
      () => {},
      ({ message }) => log.emit({ source: 'run', type: 'infrastructure', code: 'disk', message, retryable: true }),
    );
    log.emit({ source: 'run', type: 'ended', reason: 'complete' });
    log.close();
    expect(log.read()).toMatchObject([
      { type: 'ended' },
      { type: 'infrastructure', code: 'disk', message: expect.stringContaining('ENOSPC') },
    ]);
  });

  it('that is full says so once, drops what the guest does after, and keeps how the case ends', () => {
    const directory = join(folder, 'full-log');
    mkdirSync(directory);
    let followed = 0;
    const log = openEventLog(join(directory, caseFiles.events), () => followed++);
    const text = 'x'.repeat(1000);
    const line = (offset: number) => log.emit({ source: 'serial', type: 'line', offset, text });
    const most = recordBounds.eventLogBytes / text.length;
    for (let offset = 0; offset < most; offset++) line(offset);
    line(-1);
    log.emit({ source: 'vm', type: 'stderr', text });
    log.emit({ source: 'vm', type: 'cpu', guestCpuMs: 7 });
    log.emit({ source: 'run', type: 'ended', reason: 'failure' });
    log.close();
    const events = readEvents(directory);
    expect(followed).toBe(events.length);
    const lines = events.filter(({ source }) => source === 'serial');
    expect(lines.map((event) => 'offset' in event && event.offset)).toEqual(lines.map((_, index) => index));
    expect(lines.length).toBeGreaterThan(0.9 * most);
    expect(events.slice(lines.length)).toEqual([
      expect.objectContaining({
        type: 'bounded',
        what: 'eventLogBytes',
        limit: recordBounds.eventLogBytes,
        ends: true,
      }),
      expect.objectContaining({ type: 'cpu' }),
      expect.objectContaining({ type: 'ended' }),
    ]);
    expect(statSync(join(directory, caseFiles.events)).size).toBeLessThan(recordBounds.eventLogBytes + 4096);
  });

  it('ends the case where what follows it fails, whoever emitted', () => {
    const directory = join(folder, 'faulty-follower');
    mkdirSync(directory);
    const log = openEventLog(join(directory, caseFiles.events), ({ source }) => {
      if (source !== 'vm') throw new Error(`no rule for ${source}`);
    });
    log.emit({ source: 'vm', type: 'spawned', pid: 1, accel: 'tcg' });
    log.emit({ source: 'qmp', type: 'status', status: 'running' });
    log.emit({ source: 'qmp', type: 'status', status: 'paused' });
    log.close();
    expect(readEvents(directory).filter(({ type }) => type === 'infrastructure')).toEqual([
      expect.objectContaining({ code: 'internal', message: expect.stringMatching(/qmp\/status.*no rule for qmp/) }),
    ]);
  });
});
