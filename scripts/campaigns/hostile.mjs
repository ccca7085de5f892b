// Runs good cells, and then the same next to guests that send mutated frames and noise, or open all they can.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { parsed, stamp } from '../command.mjs';
import { attacker } from './beside/attackers.mjs';
import { compared, linesOf } from './beside/compared.mjs';

const goodCells = ['bios-ipxe-rom.*.pc.*'];
/** A cell of each service, of a server of the user's, and of a VLAN, whose network and servers the hostile guests attack. */
const nfsCell = 'nfs-bios';
const attacked = [
  ...['bios-ipxe-rom.*.e1000.*', 'ipv6-bios.*.http.ipv6', nfsCell, 'iscsi-bios', 'uefi-https-ovmf'],
  ...['dnsmasq-bios', 'vlan-bios'],
];
/** About as many as a guest gets to send before its case ends as a flood. */
const framesOfOne = 100_000;
const openedByOne = 20_000;
/**
 * With eight of them at once, whose backlogs and tables may be full; most of it is for the reports of all 17 at the end,
 * whose event logs are read then (12 MiB each, three times that in memory). Measured with 15: 265 MiB.
 */
const mostMiB = 350;

const usage = `Usage: npm run -s campaign -- hostile [options]

Runs cells all at once, and then again next to hostile guests: programs in QEMU's place that send mutated frames of real
boots, noise, fragments and other guests' MACs as fast as they can, and programs that open connections, transfers and leases
without end. They also check what leaves the wire: whole frames from the server, and segments to the plan's ports only.

  --frames N      frames from hostile guests, about; a guest sends ${framesOfOne} (default: 1000000)
  --seed S        what they send (default: 1)
  --cells GLOBS   the good cells, by id or group; comma-separated, * for any text (default: ${goodCells.join(',')})
  --jobs N        number of guests at once (default: 8)
  --out DIR       a new folder for the runs (default: .runs/hostile-<time>)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if the hostile guests cost less than ${mostMiB} MiB, were sent and let through nothing that they should not, and
ended as what they are, and the other cells boot and do nothing else than without them; 1 otherwise.`;

const options = {
  frames: { type: 'string', count: true, default: '1000000' },
  seed: { type: 'string', count: true, default: '1' },
  cells: { type: 'string', many: true, default: goodCells.join(',') },
  jobs: { type: 'string', count: true, default: '8' },
  out: { type: 'string' },
  json: { type: 'boolean' },
};

/** Guests that send frames, on the networks of all services in turn, and one for each service that opens all it can. */
function attackersOf(models, { frames, seed }) {
  const senders = Array.from({ length: Math.ceil(frames / framesOfOne) }, (_, index) =>
    attacker(`hostile.frames-${index + 1}`, models[index % models.length], 'hostile-guest.mjs', {
      HOSTILE: 'frames',
      SEED: String(seed + index),
      AMOUNT: String(Math.min(frames, framesOfOne)),
    }),
  );
  const openers = models.map((model, index) =>
    attacker(`hostile.opens-${index + 1}`, model, 'hostile-guest.mjs', {
      HOSTILE: 'opens',
      SEED: String(seed + index),
      AMOUNT: String(Math.min(frames, openedByOne)),
    }),
  );
  return [...senders, ...openers];
}

/** A guest may be ended as a flood before it has sent all, but not before it has attacked. */
const fewestOf = ({ frames }) => Math.min(1000, frames);

/** What a hostile guest says of itself on its console. */
function saidBy(id, outDir, { fewest, opensHandles }) {
  const text = readFileSync(join(outDir, 'attacked', 'run', 'cases', id, 'serial.raw'), 'latin1');
  const sent = [...text.matchAll(/sent (\d+) frames/g)].map(([, frames]) => Number(frames));
  const violations = [...text.matchAll(/VIOLATION: ([^\r\n]*)/g)].map(([, what]) => what);
  const most = Math.max(0, ...sent);
  return {
    sent: most,
    violations: [
      ...violations,
      ...(most < fewest ? [`it sent ${most} frames: no attack`] : []),
      ...(opensHandles && !/opened \d+ handles/.test(text) ? ['it ended before it had opened handles of NFS'] : []),
    ],
  };
}

/** It failed as a guest does, or its program had sent all; never a fault of the harness, and never a boot. */
const isTold = ({ status, failure }) =>
  status === 'failed' || (status === 'error' && failure?.rule === 'guest-gone' && failure.text.includes('exit code 0'));

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const { cells: all } = await expandChosen({}, await openArtefacts([], { env: process.env, stderr: process.stderr }));
  const models = attacked.map((glob) => selectCells(all, [glob], {})[0]);
  const outDir = resolve(given.out ?? `.runs/hostile-${stamp()}`);
  const cells = selectCells(all, given.cells, {});
  const outcome = await compared({ cells, jobs: given.jobs, attackers: attackersOf(models, given), outDir });
  if (outcome === undefined) return;
  const { costMiB, differences, untested, hostile, wallMs } = outcome;
  const nfsOpener = `hostile.opens-${attacked.indexOf(nfsCell) + 1}`;
  const said = hostile.map(({ id }) => {
    const due = { fewest: fewestOf(given), opensHandles: id === nfsOpener };
    return { id, ...saidBy(id, outDir, due) };
  });
  const violations = said.flatMap(({ id, violations }) => violations.map((what) => `${id}: ${what}`));
  const untold = hostile.filter(({ verdict }) => !isTold(verdict)).map(({ id }) => id);
  const frames = said.reduce((sum, { sent }) => sum + sent, 0);
  const framesPerSecond = Math.round((frames * 1000) / wallMs[1]);
  const ok = costMiB < mostMiB && [differences, untested, violations, untold].every(({ length }) => length === 0);
  const report = { ok, ...outcome, frames, framesPerSecond, violations, untold };
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else {
    const counts = `${outcome.cells} cells, ${outcome.passed} passed; with ${hostile.length} hostile guests ${differences.length} differ, ${untold.length} ended otherwise, ${violations.length} violations`;
    const speed = `${frames} hostile frames and connections, ${framesPerSecond} a second over the whole run`;
    process.stdout.write(`${[...violations, ...linesOf(outcome, mostMiB), counts, speed].join('\n')}\n`);
  }
  if (!ok) process.exitCode = 1;
}
