import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Reporter } from '../../harness/model/reporter.ts';
import { runResultSchema } from '../../harness/model/verdict.ts';
import type { ConsoleOutput } from '../../harness/report/console-output.ts';
import { liveReporter } from '../../harness/report/live-reporter.ts';
import { multiplex } from '../../harness/report/multiplex.ts';
import { plainReporter } from '../../harness/report/plain-reporter.ts';
import { fileReporter } from '../../harness/report/report-files.ts';
import { runRecords } from '../../harness/run/records/run-records.ts';
import { failedCase, invocation, notRunCase, sampleCase, sampleRun } from './sample-run.ts';

const passed = sampleCase();
const run = sampleRun([passed, failedCase, notRunCase]);

async function replay(reporter: Reporter): Promise<void> {
  await reporter.onRunStart?.({ matrix: run.matrix, outDir: '/out', total: run.cases.length });
  for (const result of run.cases) {
    if (result.verdict.status !== 'not-run') await reporter.onCaseStart?.({ id: result.id, attempt: 1 });
    for (const { stage, atMs } of result.verdict.stages) {
      if (atMs !== null) await reporter.onStage?.({ id: result.id, stage, atMs });
    }
    await reporter.onCaseEnd?.(result);
  }
  await reporter.onRunEnd?.(run);
}

function recordingOutput(fields: Partial<ConsoleOutput> = {}): { output: ConsoleOutput; text: () => string } {
  let written = '';
  const output: ConsoleOutput = {
    write: (text) => {
      written += text;
    },
    columns: undefined,
    rows: undefined,
    colour: false,
    ...fields,
  };
  return { output, text: () => written };
}

describe('multiplexer', () => {
  it('gives every reporter every hook, and a broken one stops nobody but is told', async () => {
    const calls: string[] = [];
    const good = (name: string): Reporter => ({
      onRunStart: () => void calls.push(`${name} start`),
      onCaseEnd: ({ id }) => void calls.push(`${name} ${id}`),
      onRunEnd: () => void calls.push(`${name} end`),
    });
    const broken: Reporter = {
      onCaseEnd() {
        throw new Error('no space left');
      },
      onRunEnd: () => Promise.reject(new Error('too late')),
    };
    const { reporter, failures } = multiplex({ first: good('first'), broken, last: good('last') });
    await replay(reporter);
    for (const name of ['first', 'last']) {
      expect(calls.filter((call) => call.startsWith(name))).toEqual([
        `${name} start`,
        ...run.cases.map(({ id }) => `${name} ${id}`),
        `${name} end`,
      ]);
    }
    expect(failures).toHaveLength(4);
    expect(failures[0]).toBe('reporter broken failed in onCaseEnd: no space left');
    expect(failures.at(-1)).toBe('reporter broken failed in onRunEnd: too late');
  });

  it('never lets hooks of one reporter overlap, even when nobody waits for them', async () => {
    const order: string[] = [];
    let release = () => {};
    const slow: Reporter = {
      async onCaseStart({ id }) {
        order.push(`begin ${id}`);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        order.push(`end ${id}`);
      },
      onCaseEnd: ({ id }) => void order.push(`result ${id}`),
    };
    const { reporter } = multiplex({ slow });
    const first = reporter.onCaseStart({ id: 'a', attempt: 1 });
    const second = reporter.onCaseEnd(sampleCase({ id: 'a' }));
    await Promise.resolve();
    release();
    await Promise.all([first, second]);
    expect(order).toEqual(['begin a', 'end a', 'result a']);
  });
});

describe('plain reporter', () => {
  it('writes a line per finished case and the closing lines, without escapes', async () => {
    const { output, text } = recordingOutput();
    await replay(plainReporter(output, invocation));
    const lines = text().split('\n');
    expect(lines[0]).toBe('sample: 3 cases into /out');
    expect(lines[1]).toBe('[1/3] passed      bios.x86_64.pc.seabios.e1000.bundled 5.8 s');
    expect(lines[2]).toBe('[2/3] failed      bios.x86_64.pc.seabios.pcnet.bundled 5.8 s');
    expect(lines[3]).toBe('    no DHCP; the last thing seen was "No bootable device."');
    expect(lines[4]).toBe('[3/3] not run     arm.aarch64.virt.aavmf.e1000.snp');
    expect(lines).toContain('3 cases: 1 passed, 1 failed, 1 not run');
    expect(text()).not.toContain('\u001b');
  });

  it('colours the status of a case where colours are welcome', async () => {
    const { output, text } = recordingOutput({ colour: true });
    await replay(plainReporter(output, invocation));
    expect(text()).toContain('\u001b[32mpassed     \u001b[39m bios.');
    expect(text()).toContain('\u001b[31mfailed     \u001b[39m bios.');
  });
});

describe('live reporter', () => {
  /** What a terminal shows in the end: applies cursor-up and erase-below to lines. */
  // biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence is what it looks for
  const redraw = /(\u001b\[(\d+)A\u001b\[J)/;
  function screen(text: string): string[] {
    const lines: string[] = [];
    for (const part of text.split(redraw).filter((_, index) => index % 3 !== 2)) {
      const up = redraw.exec(part)?.[2];
      if (up === undefined) lines.push(...part.split('\n').slice(0, -1));
      else lines.splice(lines.length - Number(up));
    }
    return lines;
  }

  function start(fields: Partial<ConsoleOutput> = {}) {
    const recorded = recordingOutput({ columns: 100, rows: 24, ...fields });
    const clock = { now: 0, draw: () => {}, stopped: false };
    const reporter = liveReporter({
      invocation,
      output: recorded.output,
      now: () => clock.now,
      every(draw) {
        clock.draw = draw;
        return () => {
          clock.stopped = true;
        };
      },
    });
    return { reporter, clock, shown: () => screen(recorded.text()) };
  }

  it('shows a line per running case with its stage, and a progress count with time left', async () => {
    const { reporter, clock, shown } = start();
    const length = { durationMs: 60_000, guestCpuMs: 60_000 };
    const expected = { one: length, two: length, three: length };
    await reporter.onRunStart?.({ matrix: 'sample', outDir: '/out', total: 3, expected, cores: 2 });
    await reporter.onCaseStart?.({ id: 'one', attempt: 1 });
    await reporter.onCaseStart?.({ id: 'two', attempt: 2 });
    clock.now = 2500;
    await reporter.onStage?.({ id: 'one', stage: 'dhcp', atMs: 2400 });
    clock.draw();
    expect(shown()).toEqual([
      'sample: 3 cases into /out',
      '  dhcp             2.5 s  one',
      '  starting         2.5 s again  two',
      '0/3 done, 2 running, about 1m38s left',
    ]);
    clock.now = 60_000;
    await reporter.onCaseEnd?.(sampleCase({ id: 'one' }));
    expect(shown()).toEqual([
      'sample: 3 cases into /out',
      '[1/3] passed      one 5.8 s',
      '  starting        60.0 s again  two',
      '1/3 done, 1 running, about 1m00s left',
    ]);
  });

  it('never draws a line wider, or more lines, than the terminal', async () => {
    const { reporter, clock, shown } = start({ columns: 40, rows: 8 });
    await reporter.onRunStart?.({ matrix: 'sample', outDir: '/out', total: 20 });
    for (let index = 0; index < 20; index += 1) {
      await reporter.onCaseStart?.({ id: `a-rather-long-case-id-that-does-not-fit-${index}`, attempt: 1 });
    }
    clock.draw();
    const frame = shown().slice(1);
    expect(frame).toHaveLength(6);
    expect(frame.every((line) => line.length < 40)).toBe(true);
    expect(frame.at(-1)).toMatch(/^0\/20 done, 20 running, 15 not shown/);
  });

  it('leaves no frame behind', async () => {
    const { reporter, clock, shown } = start();
    await replay(reporter);
    expect(clock.stopped).toBe(true);
    expect(shown().filter((line) => /done, \d+ running/.test(line))).toEqual([]);
    expect(shown().at(-1)).toMatch(/^results: \/out/);
  });
});

describe('report files', () => {
  it('leaves every report in the directory, and the summary in the step summary', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'netboot-report-'));
    try {
      const stepSummary = join(folder, 'step.md');
      const reporter = fileReporter({ invocation, env: { GITHUB_STEP_SUMMARY: stepSummary }, recordsOf: runRecords });
      await reporter.onRunStart?.({ matrix: run.matrix, outDir: folder, total: run.cases.length });
      await reporter.onRunEnd?.(run);
      expect((await readdir(folder)).sort()).toEqual([
        'configurations.md',
        'junit.xml',
        'report.html',
        'results.json',
        'step.md',
        'summary.md',
      ]);
      const saved: unknown = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8'));
      expect(runResultSchema.parse(saved)).toEqual(run);
      expect(await readFile(stepSummary, 'utf8')).toContain('**3 cases: 1 passed, 1 failed, 1 not run**');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
