// Medians and ratios for humans; --json has the raw figures.
import { availableParallelism, cpus, loadavg } from 'node:os';

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const hostFacts = () => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model ?? 'unknown',
  node: process.version,
  load: loadavg()[0],
});

const shown = (values) => (values.length === 0 ? '–' : median(values).toPrecision(3));
const spread = (values) =>
  values.length < 2 ? '' : `${Math.min(...values).toPrecision(3)}–${Math.max(...values).toPrecision(3)}`;

/** Harness to plain: higher is better for speeds, lower for times. */
const ratio = ({ harness, plain }) =>
  harness.length === 0 || plain.length === 0 ? '–' : (median(harness) / median(plain)).toFixed(2);

/** The raw figures with their medians and ratio, for machines. */
export const summarised = ({ rows = [], ...result }) => ({
  ...result,
  rows: rows.map((row) => ({
    ...row,
    medians: {
      harness: row.harness.length > 0 ? median(row.harness) : null,
      plain: row.plain.length > 0 ? median(row.plain) : null,
    },
    ratio: row.harness.length > 0 && row.plain.length > 0 ? median(row.harness) / median(row.plain) : null,
  })),
});

const columns = [
  { head: '', width: 53, of: ({ what, unit }) => `${what}, ${unit}` },
  { head: 'harness', width: 9, of: ({ harness }) => shown(harness) },
  { head: '(range)', width: 14, of: ({ harness }) => spread(harness) },
  { head: 'plain', width: 9, of: ({ plain }) => shown(plain) },
  { head: '(range)', width: 14, of: ({ plain }) => spread(plain) },
  { head: 'ratio', width: 7, of: ratio },
  { head: 'aim', width: 6, of: ({ aim }) => aim ?? '' },
];
const line = (texts) => `${columns.map(({ width }, at) => `${texts[at]} `.padEnd(width)).join('')}`.trimEnd();

export function printReport(rounds, results) {
  const { cores, cpu, node, load } = hostFacts();
  const lines = [`${cores} × ${cpu}, Node ${node}, load ${load.toFixed(1)}; medians of ${rounds} rounds, TCG`];
  for (const { name, title, rows = [], failure } of results) {
    if (failure) lines.push('', `${name} could not be measured: ${failure}`);
    else lines.push('', title, line(columns.map(({ head }) => head)));
    for (const row of rows) lines.push(line(columns.map(({ of }) => of(row))));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}
