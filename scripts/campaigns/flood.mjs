// Runs good cells, and then the same with flooding guests among them.
import { resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { parsed, stamp } from '../command.mjs';
import { attacker } from './beside/attackers.mjs';
import { compared, linesOf } from './beside/compared.mjs';

/** 20 cells of SeaBIOS and OVMF that boot a script. */
const goodCells = [
  'bios-ipxe-rom.*.pc.*',
  'bios-pxe-rom',
  ...['e1000', 'e1000e', 'rtl8139', 'virtio-net-pci'].map((nic) => `uefi-ipxe-rom.*.${nic}.*`),
];
/** What each does, as `FLOOD` of the program names it. */
const kinds = ['lines', 'discover', 'tftp'];
const mostMiB = 300;

const usage = `Usage: npm run -s campaign -- flood [options]

Runs cells all at once, and then again with hostile guests among them: one prints in a loop, one floods DHCP with DISCOVERs
of ever new MAC addresses, one opens TFTP transfers without end. Compares the peak memory of the two runs, reports included.

  --cells GLOBS   these cells, by id or group; comma-separated, * for any text (default: 20 that boot a script)
  --jobs N        number of guests at once (default: all)
  --out DIR       a new folder for the runs (default: .runs/flood-<time>)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if the hostile guests cost less than ${mostMiB} MiB, each ended as a flood, and the others boot, and do
nothing else than without them; 1 otherwise.`;

const options = {
  cells: { type: 'string', many: true, default: goodCells.join(',') },
  jobs: { type: 'string', count: true },
  out: { type: 'string' },
  json: { type: 'boolean' },
};

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const { cells: all } = await expandChosen({}, await openArtefacts([], { env: process.env, stderr: process.stderr }));
  const cells = selectCells(all, given.cells, {});
  const attackers = kinds.map((kind) => attacker(`flood.${kind}`, cells[0], 'flooding-guest.mjs', { FLOOD: kind }));
  const outDir = resolve(given.out ?? `.runs/flood-${stamp()}`);
  const outcome = await compared({ cells, jobs: given.jobs, attackers, outDir });
  if (outcome === undefined) return;
  const { costMiB, differences, untested, hostile } = outcome;
  const unbounded = hostile.filter(({ verdict }) => verdict.failure?.rule !== 'guest-flood').map(({ id }) => id);
  const ok = costMiB < mostMiB && differences.length + untested.length + unbounded.length === 0;
  const report = { ok, ...outcome, unbounded };
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    const counts = `${outcome.cells} cells, ${outcome.passed} passed; with ${hostile.length} floods ${differences.length} differ, ${unbounded.length} did not end as floods`;
    process.stdout.write(`${[...linesOf(outcome, mostMiB), counts].join('\n')}\n`);
  }
  if (!report.ok) process.exitCode = 1;
}
