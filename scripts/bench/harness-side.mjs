// One guest run like any case: run loop, servers, sniffer, capture, console and event log included.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { runMatrix } from '../../.build/harness/run/run-matrix.js';
import { clocks, watchMarks } from './marks.mjs';

export const artefacts = await openArtefacts([], { env: process.env, stderr: process.stderr });

/**
 * Runs only `cell`; `marks` are texts to watch for, which keeps a guest from starting from a template. Rejects if the guest
 * did not do what the cell expects.
 */
export async function runInHarness(cell, scratch, marks = [], more = {}) {
  const outDir = mkdtempSync(join(scratch, 'run-'));
  const watched = watchMarks(marks);
  let started;
  try {
    const run = await runMatrix({
      ...artefacts,
      ...{ matrixName: 'bench', cells: [cell], outDir, jobs: 1, accel: 'tcg', repeat: 1 },
      reporter: { onCaseStart: () => (started = clocks()) },
      ...(marks.length > 0 ? { terminal: { output: watched.push, input: new PassThrough() } } : {}),
      ...more,
      signal: new AbortController().signal,
    });
    const ended = clocks();
    const [result] = run.cases;
    for (const { verdict } of run.cases) {
      if (verdict.status !== 'passed') throw new Error(`${cell.id}: ${verdict.status}: ${verdict.diagnosis}`);
    }
    const events = readFileSync(join(outDir, result.run.directory, 'events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    return { result, events, started, ended, at: watched.at };
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}
