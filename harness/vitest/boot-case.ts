import { join } from 'node:path';
import type { MatrixInput } from '../matrix/matrix.ts';
import { HarnessError } from '../model/errors.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { CaseResult, Verdict } from '../model/verdict.ts';
import { readEvents } from '../run/records/run-directory.ts';
import { type BootOptions, openMatrix, startTestRun } from './test-run.ts';

/** A group of a matrix in which every axis has one value. */
export type BootScenario = Omit<MatrixInput['groups'][number], 'name'> & { name?: string };

/** A boot that has ended, for the matchers and for your own assertions. */
export interface BootedCase {
  readonly id: string;
  readonly verdict: Verdict;
  readonly result: CaseResult;
  /** All records; undefined where no guest was started. */
  readonly directory: string | undefined;
  /** Everything that was recorded: frames, console lines, transfers. */
  readonly events: readonly HarnessEvent[];
}

/**
 * Boots one case and resolves to what became of it, whatever that is. Rejects with HarnessError `bad-matrix` if the
 * scenario is not exactly one case, `bad-set` for a broken set.
 */
export async function bootCase(
  { name = 'case', ...group }: BootScenario,
  options: BootOptions = {},
): Promise<BootedCase> {
  const { host, expansion } = await openMatrix({ name, groups: [{ name, ...group }] }, options);
  const [cell, ...others] = expansion.cells;
  if (cell === undefined || others.length > 0) {
    const reason = expansion.excluded[0]?.reason;
    const seen = cell === undefined ? `none${reason === undefined ? '' : `: ${reason}`}` : `${others.length + 1}`;
    throw new HarnessError('bad-matrix', `${name}: expected exactly one case, saw ${seen}`, {
      hint: 'Give every axis one value that goes together with the others.',
    });
  }
  const run = startTestRun({ host, cells: [cell], matrixName: name }, options);
  try {
    const { result, outDir } = await run.resultOf(cell.id);
    const directory = result.run.directory === null ? undefined : join(outDir, result.run.directory);
    const events = directory === undefined ? [] : readEvents(directory);
    return { id: result.id, verdict: result.verdict, result, directory, events };
  } finally {
    await run.end();
  }
}
