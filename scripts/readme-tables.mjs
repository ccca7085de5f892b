import { releaseTable } from './release-table.mjs';

/** Each cell once; the totals remain those of all rounds. */
export const firstRound = (result) => ({ ...result, cases: result.cases.filter(({ round }) => round === 1) });

function packagesOf({ cases }) {
  const named = cases.flatMap(({ run }) => run.inputs).flatMap((input) => input.package ?? []);
  return [...new Set(named.map(({ name, version }) => `${name} ${version}`))].sort();
}

/**
 * The measured part of scenarios/README.md: what was run and with what, what changed from release to
 * release, then the six configurations. `result` is that of `firstRound`;
 * `views` are the functions of harness/report/ and harness/compare/, compiled or not.
 */
export function readmeTables(result, views) {
  const { configurationGrid, configurationList, costLine, inline, totalsLine } = views;
  const all = Object.values(result.totals).reduce((sum, count) => sum + count, 0);
  const rounds = all / result.cases.length;
  const cells = rounds > 1 ? `${result.cases.length} cells in ${rounds} rounds. ` : '';
  const programs = Object.entries(result.host.qemu).map(([program, version]) => `${program} ${version}`);
  return [
    `${cells}${totalsLine(result)}. ${inline(costLine(result))}.`,
    '',
    ...result.notes.flatMap((note) => [`Note: ${inline(note)}.`, '']),
    `${inline([result.startedAt.slice(0, 10), ...programs, result.host.platform].join(', '))}, ${result.host.cores} cores.`,
    `Packages: ${packagesOf(result)
      .map((name) => inline(name))
      .join(', ')}.`,
    '',
    'What changed for users from Debian 12 to 13 to testing:',
    '',
    ...releaseTable(result, views),
    'The configurations:',
    '',
    ...configurationList(),
    '',
    'None is where a cell declares none and none was seen, mostly because nothing in the machine drives its NIC.',
    '',
    ...configurationGrid(result.cases),
    '',
  ].join('\n');
}
