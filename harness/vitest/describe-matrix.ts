import { join } from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { filterCells } from '../matrix/filter-cells.ts';
import type { MatrixInput } from '../matrix/matrix.ts';
import { findingTexts } from '../model/verdict.ts';
import type { Finished } from './test-run.ts';
import { type BootOptions, openMatrix, startTestRun, type TestRun } from './test-run.ts';

export interface MatrixTestOptions extends BootOptions {
  /** Only these cases: ids or group names, `*` for any text. */
  cases?: readonly string[];
}

/** Deadlines are the harness's own, and count only the time in which a guest could run. */
const noTimeout = 0;

/** What happened, where the records are, and how to boot it again. */
function explain({ result, outDir }: Finished): string {
  const { verdict, run, id } = result;
  const folder = run.directory === null ? outDir : join(outDir, run.directory);
  return [
    `${id}: ${verdict.status}. ${verdict.diagnosis ?? ''}`,
    ...findingTexts(verdict).map((finding) => `  ${finding}`),
    `  records: ${folder}`,
    ...(run.directory === null ? [] : [`  again:   npx netboot repro ${folder}`]),
  ].join('\n');
}

/**
 * A test for each cell of a matrix: it passes where the boot did what the cell expects, and is skipped with the reason
 * where this host cannot run it. Only the tests that are selected boot; all of them start together, as many at once as
 * the host carries, and no test is retried.
 */
export function describeMatrix(matrix: MatrixInput, options: MatrixTestOptions = {}): void {
  describe(matrix.name, async () => {
    const { host, expansion } = await openMatrix(matrix, options);
    const cells = filterCells(expansion.cells, { ids: options.cases ?? [] });
    let run: TestRun | undefined;

    // biome-ignore lint/correctness/noEmptyPattern: vitest reads from this pattern which fixtures the hook takes
    beforeAll(({}, suite) => {
      const selected = new Set(suite.tasks.filter(({ mode }) => mode === 'run').map(({ name }) => name));
      const chosen = cells.filter(({ id }) => selected.has(id));
      run = startTestRun({ host, cells: chosen, matrixName: matrix.name }, options);
    });
    afterAll(() => run?.end(), noTimeout);

    for (const { id } of cells) {
      test(id, { retry: 0, timeout: noTimeout }, async ({ skip }) => {
        const finished = await run?.resultOf(id);
        if (finished === undefined) throw new Error('the run did not start');
        const { status, diagnosis } = finished.result.verdict;
        if (status === 'not-run' || status === 'waiting') skip(diagnosis ?? status);
        if (status !== 'passed') throw new Error(explain(finished));
      });
    }
  });
}
