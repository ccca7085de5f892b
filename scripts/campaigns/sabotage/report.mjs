// The campaign's figures and findings, as text and as JSON.
import { join } from 'node:path';
import { outcomes as allOutcomes } from './outcome.mjs';

/** Kinds of break that a stop must be distinguished from. */
const leastKindsOfStop = 2;
const metBreak = ['noticed', 'could-not-tell', 'survived'];

const countBy = (names, keys) =>
  Object.fromEntries(keys.map((key) => [key, names.filter((name) => name === key).length]));

function survivorOf({ id, verdict, run }, { cell, wrong }, outDir) {
  const { stoppedAt, failure, diagnosis } = verdict;
  return {
    id,
    cell: cell.id,
    break: wrong.label,
    stoppedAt,
    failure,
    diagnosis,
    directory: join(outDir, run.directory),
  };
}

/** Cells that met no break, or too few kinds of the breaks made. */
function untested(sabotages, outcomes) {
  const cells = new Map();
  for (const { id, cell, wrong, boot } of sabotages) {
    if (outcomes.get(id) === 'not-run') continue;
    const { made, met } = cells.get(cell.id) ?? { made: new Set(), met: new Set() };
    cells.set(cell.id, { made, met, least: boot.boots ? 1 : leastKindsOfStop });
    made.add(wrong.kind);
    if (metBreak.includes(outcomes.get(id))) met.add(wrong.kind);
  }
  return [...cells]
    .filter(([, { made, met, least }]) => met.size < Math.min(least, made.size))
    .map(([cell, { met }]) => ({ cell, kinds: [...met] }));
}

/** Cells that could not be run although their files are here, for instance because QEMU lacks the NIC. */
function notRun({ cases }, byId) {
  const reasons = new Map();
  for (const { id, verdict } of cases) {
    if (verdict.status === 'not-run') reasons.set(byId.get(id).cell.id, verdict.diagnosis);
  }
  return [...reasons].map(([cell, reason]) => ({ cell, reason }));
}

export function reportOf({ result, sabotages, missing, outcomes, outDir }) {
  const byId = new Map(sabotages.map((sabotage) => [sabotage.id, sabotage]));
  const counted = (chosen) =>
    countBy(
      chosen.map(({ id }) => outcomes.get(id)),
      allOutcomes,
    );
  const kinds = [...new Set(sabotages.map(({ wrong }) => wrong.kind))];
  const survivors = result.cases.filter(({ id }) => outcomes.get(id) === 'survived');
  const isOver = !sabotages.some(({ id }) => outcomes.get(id) === 'interrupted');
  const report = {
    cells: new Set(sabotages.map(({ cell }) => cell.id)).size,
    sabotages: sabotages.length,
    outcomes: counted(sabotages),
    kinds: Object.fromEntries(
      kinds.map((kind) => [kind, counted(sabotages.filter(({ wrong }) => wrong.kind === kind))]),
    ),
    survivors: survivors.map((one) => survivorOf(one, byId.get(one.id), outDir)),
    // An interrupted campaign has not run all of them.
    untested: isOver ? untested(sabotages, outcomes) : [],
    missing: [...missing, ...notRun(result, byId)],
    wallMs: result.wallMs,
    guestCpuMs: result.guestCpuMs,
    directory: outDir,
  };
  return { ok: isOver && report.survivors.length === 0 && report.untested.length === 0, ...report };
}

const seconds = (ms) => `${Math.round(ms / 1000)} s`;

export function printReport({
  cells,
  sabotages,
  outcomes,
  kinds,
  survivors,
  untested: without,
  missing,
  wallMs,
  guestCpuMs,
  directory,
}) {
  const width = Math.max(...Object.keys(kinds).map(({ length }) => length), 'break'.length);
  const row = (name, counts) =>
    `${name.padEnd(width)} ${allOutcomes.map((one) => String(counts[one] || '·').padStart(one.length)).join('  ')}`;
  const lines = [
    `${'break'.padEnd(width)} ${allOutcomes.join('  ')}`,
    ...Object.entries(kinds).map(([kind, counts]) => row(kind, counts)),
    row('all', outcomes),
    '',
    ...survivors.flatMap(({ id, stoppedAt, failure, directory: records }) => [
      `SURVIVED ${id}`,
      `  stopped at ${stoppedAt ?? 'no stage'} with ${failure ? `${failure.rule}: ${failure.text}` : 'no failure'}`,
      `  ${records}`,
    ]),
    ...without.map(({ cell, kinds: met }) => `NOT SABOTAGED ENOUGH ${cell}: ${met.join(', ') || 'it met no break'}`),
    ...missing.map(({ cell, reason }) => `not here: ${cell}: ${reason}`),
    `${sabotages} sabotages of ${cells} cells in ${seconds(wallMs)} (guests ${seconds(guestCpuMs)} of CPU): ${survivors.length} survivors; ${directory}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
