// Runs good cells, then the same with hostile guests among them: what do those cost in memory, and in verdicts?
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { SetUpError, say } from '../setup/checkout.mjs';
import { interruptible, parsed, stamp } from './command.mjs';
import { floodKinds, isFlood } from './flood/flood-cells.mjs';
import { didIn } from './rounds.mjs';

/** 20 cells of SeaBIOS and OVMF that boot a script. */
const goodCells = [
  'bios-ipxe-rom.*.pc.*',
  'bios-pxe-rom',
  ...['e1000', 'e1000e', 'rtl8139', 'virtio-net-pci'].map((nic) => `uefi-ipxe-rom.*.${nic}.*`),
];
const mostMiB = 300;

const usage = `Usage: npm run -s campaign -- flood [options]

Runs cells all at once, and then again with hostile guests among them: one prints in a loop, one floods DHCP with DISCOVERs
of ever new MAC addresses, one opens TFTP transfers without end. Compares the peak memory of the two runs, reports included.

  --cells GLOBS   these cells, by id or group; comma-separated, * for any text (default: 20 that boot a script)
  --jobs N        number of guests at once (default: all)
  --out DIR       a new folder for the runs (default: .runs/flood-<time>)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if the hostile guests cost less than ${mostMiB} MiB, each ended as a flood, and no other cell did anything
else than without them; 1 otherwise.`;

const options = {
  cells: { type: 'string', many: true, default: goodCells.join(',') },
  jobs: { type: 'string', count: true },
  out: { type: 'string' },
  json: { type: 'boolean' },
};

const measuredRun = fileURLToPath(new URL('flood/measured-run.mjs', import.meta.url));

/** One run in a process of its own; resolves to its time, peak memory and verdicts. */
async function measured(choices, signal) {
  say(`${choices.cells.length} cells, ${choices.floods.length} hostile guests`);
  const child = fork(measuredRun);
  const stop = () => child.send('stop');
  signal.addEventListener('abort', stop);
  try {
    child.send(choices);
    const ended = once(child, 'exit').then(([code]) => {
      throw new SetUpError(`the run ended with exit code ${code}`, 1);
    });
    const [outcome] = await Promise.race([once(child, 'message'), ended]);
    return outcome;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const didOf = ({ cases }, id) => didIn(cases.find((one) => one.id === id));

function reportOf(quiet, flooded, outDir) {
  const floods = flooded.cases.filter(({ id }) => isFlood(id));
  const ids = quiet.cases.map(({ id }) => id);
  const differences = ids
    .map((id) => ({ id, did: [quiet, flooded].map((run) => didOf(run, id)) }))
    .filter(({ did: [before, after] }) => before !== after);
  const costMiB = flooded.peakMiB - quiet.peakMiB;
  const unbounded = floods.filter(({ verdict }) => verdict.failure?.rule !== 'guest-flood').map(({ id }) => id);
  return {
    ok: costMiB < mostMiB && differences.length === 0 && unbounded.length === 0,
    cells: ids.length,
    passed: quiet.cases.filter(({ verdict }) => verdict.status === 'passed').length,
    peakMiB: [quiet.peakMiB, flooded.peakMiB],
    costMiB,
    wallMs: [quiet.wallMs, flooded.wallMs],
    floods: floods.map(({ id, verdict }) => ({ id, status: verdict.status, diagnosis: verdict.diagnosis })),
    unbounded,
    differences,
    directory: outDir,
  };
}

function print({ cells, passed, peakMiB, costMiB, wallMs, floods, unbounded, differences, directory }) {
  const lines = [
    ...differences.map(({ id, did }) => `${id}: ${did.join(' | ')}`),
    ...floods.map(({ id, status, diagnosis }) => `${id}: ${status}: ${diagnosis}`),
    `${cells} cells, ${passed} passed; with ${floods.length} floods ${differences.length} differ, ${unbounded.length} did not end as floods`,
    `peak memory ${peakMiB.join(' and ')} MiB: ${costMiB} MiB more (at most ${mostMiB}); ${wallMs.map((ms) => Math.round(ms / 1000)).join(' and ')} s; ${directory}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const outDir = resolve(given.out ?? `.runs/flood-${stamp()}`);
  if (existsSync(outDir)) throw new SetUpError(`--out: expected a new folder; ${outDir} exists`, 2);
  const { cells: all } = await expandChosen({}, await openArtefacts([], { env: process.env, stderr: process.stderr }));
  const shared = { cells: selectCells(all, given.cells, {}), jobs: given.jobs };
  const runs = await interruptible(async (signal) => {
    const quiet = await measured({ ...shared, outDir: join(outDir, 'quiet'), floods: [] }, signal);
    if (signal.aborted) return undefined;
    const flooded = await measured({ ...shared, outDir: join(outDir, 'flooded'), floods: floodKinds }, signal);
    return signal.aborted ? undefined : { quiet, flooded };
  });
  if (runs === undefined) return;
  const report = reportOf(runs.quiet, runs.flooded, outDir);
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else print(report);
  if (!report.ok) process.exitCode = 1;
}
