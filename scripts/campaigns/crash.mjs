// Kills the harness at random moments, and runs it where disk, descriptors or clock fail it: nothing may be lost, left or wrong.
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { interruptible, parsed, stamp } from '../command.mjs';
import { SetUpError, say } from '../setup/checkout.mjs';
import { killModes } from './crash/kills.mjs';
import { expectedOf } from './crash/records.mjs';
import { shortageModes } from './crash/shortages.mjs';
import { openWorkplace } from './crash/workplace.mjs';

/** Boots and stops of SeaBIOS that take a second or two; one has a server of the user's, in a network namespace. */
const defaultCells = ['bios-ipxe-rom.*.pc.*', 'bios-no-rom.*.pc.*', 'dnsmasq-bios'];
const modes = { ...killModes, ...shortageModes };

const usage = `Usage: npm run -s campaign -- crash [options]

Kills the harness (SIGKILL) at random moments of a matrix, which is then resumed and killed again, of runs that write and
read templates, and of a merge, a bundle and a set-up; and runs it on a full disk, in a read-only folder, with too few
descriptors and with a clock that jumps. Every finished case's record must be whole and its verdict the usual one, the run
must complete, and no process, network namespace or
temporary file may be left.

  --modes NAMES   only these: ${Object.keys(modes).join(', ')}; comma-separated
  --kills N       kills of the matrix; a tenth as many of everything else (default: 200)
  --seed S        when (default: 1)
  --cells GLOBS   these cells, by id or group; comma-separated, * for any text (default: ${defaultCells.join(',')})
  --jobs N        number of guests at once (default: 4)
  --out DIR       a new folder for the runs (default: .runs/crash-<time>)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if nothing was lost, left or wrong; 1 otherwise.`;

const options = {
  modes: { type: 'string', many: true, oneOf: Object.keys(modes), default: Object.keys(modes).join(',') },
  kills: { type: 'string', count: true, default: '200' },
  seed: { type: 'string', count: true, default: '1' },
  cells: { type: 'string', many: true, default: defaultCells.join(',') },
  jobs: { type: 'string', count: true, default: '4' },
  out: { type: 'string' },
  json: { type: 'boolean' },
};

function kibOf(folder) {
  const paths = readdirSync(folder, { recursive: true }).map((name) => join(folder, name));
  return paths.reduce((sum, path) => sum + statSync(path).blocks / 2, 0);
}

/** An undisturbed run for reference, whole and in two shards. */
async function reference(place, cells, runOptions) {
  const run = async (name, more) => {
    const runDir = join(place.folder, name);
    const ended = await place.netboot(['run', ...cells, '--out', runDir, ...runOptions, ...more]);
    if (ended.exitCode !== 0) throw new SetUpError(`the undisturbed run failed: ${ended.stderr.slice(-500)}`, 1);
    return { runDir, ms: ended.ms };
  };
  const { runDir, ms } = await run('undisturbed', []);
  const shards = [await run('shard-1', ['--shard', '1/2']), await run('shard-2', ['--shard', '2/2'])];
  const expected = expectedOf(runDir);
  const usesNamespaces = [...expected].some(([id, did]) => id.startsWith('dnsmasq-') && did.startsWith('passed'));
  return { reference: runDir, wholeMs: ms, shards: shards.map((one) => one.runDir), expected, usesNamespaces };
}

const checksPerLine = 10;

/** Collects problems, and prints each as it is found, and how far the campaign is. */
function createFindings() {
  const problems = [];
  const checks = {};
  return {
    problems,
    checks,
    found(mode, seen, where) {
      checks[mode] = (checks[mode] ?? 0) + 1;
      for (const problem of seen) {
        problems.push({ mode, where, problem });
        say(`${mode}: ${problem} (${where})`);
      }
      if (checks[mode] % checksPerLine === 0)
        say(`${mode}: ${checks[mode]} checks, ${problems.length} problems so far`);
    },
  };
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const outDir = resolve(given.out ?? `.runs/crash-${stamp()}`);
  if (existsSync(outDir)) throw new SetUpError(`--out: expected a new folder; ${outDir} exists`, 2);
  const { randomFrom } = await import('../../.build/harness/wire/faults/random.js');
  const { problems, checks, found } = createFindings();
  // A resumed run is read from its folder, and a server of the user's in it has to be trusted.
  const runOptions = ['--accel', 'tcg', '--jobs', String(given.jobs), '--reporter', 'plain', '--trust'];
  const counts = {};
  await interruptible(async (signal) => {
    const place = openWorkplace(outDir);
    const shared = await reference(place, given.cells, [...runOptions, '--cold']);
    say(`undisturbed: ${shared.expected.size} cells in ${Math.round(shared.wholeMs / 1000)} s`);
    for (const mode of given.modes) {
      if (signal.aborted) break;
      const few = Math.max(1, Math.ceil(given.kills / 10));
      counts[mode] = await modes[mode]({
        ...{ ...shared, place, cells: given.cells, runOptions: [...runOptions, '--cold'], signal, found },
        ...{ kills: mode === 'matrix' ? given.kills : few, times: few },
        // The whole length of an undisturbed run: kills then come before its first case is finished, after its last, and between.
        ...{ spanMs: shared.wholeMs, fullDiskKib: kibOf(shared.reference), random: randomFrom(given.seed) },
      });
      say(`${mode}: ${JSON.stringify(counts[mode])}, ${problems.filter((one) => one.mode === mode).length} problems`);
    }
  });
  const report = { ok: problems.length === 0, seed: given.seed, counts, checks, problems, directory: outDir };
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(`${JSON.stringify(counts)}: ${problems.length} problems; ${outDir}\n`);
  if (problems.length > 0) process.exitCode = 1;
  else rmSync(join(outDir, 'tmp'), { recursive: true, force: true });
}
