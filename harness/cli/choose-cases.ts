import { resolve } from 'node:path';
import { haveCellInCommon } from '../compare/join.ts';
import { HarnessError } from '../model/errors.ts';
import type { Scenario } from '../model/scenario.ts';
import { troubleStatuses } from '../report/run-facts.ts';
import { readResults } from '../run/records/read-results.ts';
import { readRunRecord } from '../run/records/run-directory.ts';
import type { RunOptions } from '../run/run-matrix.ts';
import type { Artefacts } from './artefacts.ts';
import { axisFiltersOf, type CaseOptions, expandChosen, selectCells, shardOf } from './case-options.ts';
import { refuseReach } from './trust.ts';

/** Earlier runs that a run can refer to. */
export interface EarlierRuns {
  baseline?: string;
  failed?: string;
  reuse?: string;
}

export type Chosen = Pick<RunOptions, 'matrixName' | 'cells' | 'shard' | 'chosenSets'>;

const choices = ['matrix', 'shard', 'full', 'smoke', 'failed', 'out'] as const;

/** A run is resumed with the choices it was started with. */
export function refuseChoices(ids: readonly string[], options: CaseOptions & EarlierRuns & { out?: string }): void {
  const hasFilters = Object.keys(axisFiltersOf(options)).length > 0;
  const given = choices.filter((name) => options[name] !== undefined).map((name) => `--${name}`);
  if (ids.length === 0 && !hasFilters && given.length === 0) return;
  const what = given.join(', ') || 'cases or filters';
  throw new HarnessError('usage', `--resume resumes a run as it was started, and does not go with ${what}`, {
    hint: 'Leave them out, or start a new run without --resume.',
  });
}

/** Those of the cells that were not as expected in a finished run. */
function failedCells(cells: readonly Scenario[], run: string): Scenario[] {
  const { cases } = readResults(run);
  const failed = new Set(
    cases.flatMap(({ scenario, verdict }) => (troubleStatuses.includes(verdict.status) ? [scenario.id] : [])),
  );
  const chosen = cells.filter(({ id }) => failed.has(id));
  if (chosen.length > 0) return chosen;
  const message =
    failed.size === 0
      ? `--failed ${run}: all of its cases were as expected`
      : `--failed ${run}: none of its ${failed.size} cases that were not as expected is among those chosen`;
  throw new HarnessError('usage', message, { hint: 'Choose another run, or give the matrix and filters of that one.' });
}

/** Sets that a cell names, for whatever it takes from them. */
function setsOf({ set, rom, nbpSet, serve = {} }: Scenario): (string | undefined)[] {
  const served = Object.values(serve).map((file) => ('secondStage' in file ? file.set : undefined));
  return [set, typeof rom === 'object' && 'kind' in rom ? rom.set : undefined, nbpSet, ...served];
}

/** A build that no cell boots must not look tested. */
function refuseUnusedSets(cells: readonly Scenario[], sets: readonly string[]): void {
  if (sets.length === 0 || cells.some((cell) => setsOf(cell).some((name) => name && sets.includes(name)))) return;
  const named = [...new Set(cells.map(({ set }) => set))].sort().join(', ');
  throw new HarnessError('usage', `--set ${sets.join(', ')}: no chosen case boots from it: all of them name ${named}`, {
    hint: 'Choose cases of groups that name no set, or give your set the name of one of these.',
  });
}

/** An earlier run about other cells says nothing about these. */
function refuseStrangers(cells: readonly Scenario[], { baseline, reuse }: EarlierRuns): void {
  const hint = 'Name a run of the same matrix; a cell on a set of another name is another cell.';
  if (baseline !== undefined && !haveCellInCommon(readResults(baseline).cases, cells)) {
    throw new HarnessError('usage', `--baseline ${baseline}: none of the chosen cases is in that run`, { hint });
  }
  if (reuse === undefined) return;
  const ids = new Set(readRunRecord(reuse).cells.map(({ id }) => id));
  if (cells.some(({ id }) => ids.has(id))) return;
  throw new HarnessError('usage', `--reuse ${reuse}: none of the chosen cases is in that run`, { hint });
}

/**
 * The cells to run, by ids, filters, shard and earlier runs.
 * @throws HarnessError `usage` where nothing is left, or where a set or run that was given has nothing to do with them
 */
export async function chooseCases(
  ids: readonly string[],
  options: CaseOptions & EarlierRuns,
  artefacts: Artefacts,
): Promise<Chosen> {
  const { matrix, origin, cells: all } = await expandChosen(options, artefacts);
  const { shard, ...unsharded } = options;
  refuseUnusedSets(selectCells(all, ids, unsharded), artefacts.chosenSets);
  const chosen = selectCells(all, ids, options);
  const cells = options.failed === undefined ? chosen : failedCells(chosen, options.failed);
  refuseStrangers(cells, options);
  if (origin) refuseReach(cells, origin, options.trust ?? false);
  const { chosenSets } = artefacts;
  return { matrixName: matrix.name, cells, shard: shardOf(cells, all, ids, options), chosenSets };
}

/** The cells of a run to resume; its record is untrusted. */
export function begunCases(directory: string, trust = false): Chosen {
  const { matrix, cells, sets } = readRunRecord(directory);
  refuseReach(cells, { source: directory, folder: resolve(directory) }, trust);
  return { matrixName: matrix, cells, chosenSets: sets };
}
