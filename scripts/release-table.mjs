/** The sets made from Debian's releases, oldest first, and what readers call them. */
const releases = [
  ['bookworm', 'Debian 12'],
  ['trixie', 'Debian 13'],
  ['forky', 'testing'],
];

const steps = releases.flatMap(([from], index) => releases.slice(index + 1).map(([to]) => [from, to]));

/** Cells that run on several of the sets and differ in nothing else: their repeats, by set. */
function cellsOnSets(result, { joinAxis, axisText }) {
  const rows = new Map();
  for (const [from, to] of steps) {
    for (const { before, after } of joinAxis(result, 'set', [from, to], axisText)) {
      const ids = [before[0].scenario.id, after[0].scenario.id];
      const row = rows.get(ids[0]) ?? rows.get(ids[1]) ?? {};
      Object.assign(row, { [from]: before, [to]: after });
      for (const id of ids) rows.set(id, row);
    }
  }
  return [...new Set(rows.values())];
}

/** What changed for users from each release's builds to the next one's, by what guests did in one run. */
export function releaseTable(result, views) {
  const { axisText, changeOf, code, commonText, comparePairs, inline, joinAxis, outcomeOf, outcomeText, table } = views;
  const rows = cellsOnSets(result, views).map((row) => {
    const outcomes = releases.map(([set]) => row[set] && outcomeOf(row[set]));
    const known = outcomes.filter((outcome) => outcome !== undefined);
    const { scenario } = Object.values(row)[0][0];
    return {
      cell: `${code(scenario.group)}, ${['nic', 'rom', 'secondStage'].map((axis) => axisText(scenario, axis)).join(', ')}`,
      texts: outcomes.map((outcome) => (outcome === undefined ? 'not run' : inline(outcomeText(outcome)))),
      hasChanged: known.some((outcome, index) => index > 0 && changeOf(known[index - 1], outcome) !== undefined),
    };
  });
  const changed = rows.filter(({ hasChanged }) => hasChanged);
  const whole = comparePairs(joinAxis(result, 'set', ['bookworm', 'forky'], axisText));
  const common = commonText(whole, 'no-longer-boots');
  return [
    `${rows.length} cells run on the builds of more than one release and differ in nothing else; ${rows.length - changed.length} of them do the same on each. The others:`,
    '',
    ...table(
      ['cell', ...releases.map(([, name]) => name)],
      changed.map(({ cell, texts }) => [cell, ...texts]),
    ),
    '',
    ...(common === undefined ? [] : [`Of those that no longer boot, ${inline(common)}.`, '']),
  ];
}
