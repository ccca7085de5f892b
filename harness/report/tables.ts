import { type RunResult, statuses } from '../model/verdict.ts';
import { configurationsMarkdown } from './configurations.ts';
import { inline } from './markdown.ts';
import { costLine, totalsLine } from './run-facts.ts';

/** Package and version of every input, as `name version`. */
function packagesOf(result: RunResult): string[] {
  const inputs = result.cases.flatMap(({ run }) => run.inputs);
  const named = inputs.flatMap(({ package: from }) => (from ? [`${from.name} ${from.version}`] : []));
  return [...new Set(named)].sort();
}

/** Each cell once; the totals stay those of all rounds. */
export const firstRound = (result: RunResult): RunResult => ({
  ...result,
  cases: result.cases.filter(({ round }) => round === 1),
});

/**
 * The tables of scenarios/README.md: what was run and with what, then the six configurations, a heading deeper. Of a
 * run that repeated its cells, `result` is what `firstRound` leaves.
 */
export function tablesMarkdown(result: RunResult): string {
  const rounds = statuses.reduce((sum, status) => sum + result.totals[status], 0) / result.cases.length;
  const cells =
    rounds > 1 ? `${result.cases.length} cells in ${rounds} rounds, of which the rows show the first. ` : '';
  return [
    `${cells}${totalsLine(result)}. ${inline(costLine(result))}.`,
    '',
    ...result.notes.flatMap((note) => [`Note: ${inline(note)}.`, '']),
    `Packages: ${packagesOf(result)
      .map((name) => inline(name))
      .join(', ')}.`,
    '',
    configurationsMarkdown(result)
      .replace(/^# .*\n\n/, '')
      .replaceAll(/^## /gm, '### '),
  ].join('\n');
}
