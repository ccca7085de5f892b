// What a farm costs: the same cells here and on workers of this machine, in turn.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { keys, lockMs, prefix } from '../../.build/harness/farm/keys.js';
import { isShared } from '../../.build/harness/model/provisioner.js';
import { isReused } from '../../.build/harness/model/verdict.js';
import { cacheFolder } from '../../.build/harness/os/cache-folder.js';
import { openCpuMeter } from '../../.build/harness/os/process-cpu.js';
import { ownCodeDigest } from '../../.build/harness/run/again/own-code.js';
import { readResults } from '../../.build/harness/run/records/read-results.js';
import { readRunRecord } from '../../.build/harness/run/records/run-directory.js';
import { interruptible, parsed, stamp } from '../command.mjs';
import { infoOf, startOwnRedis } from '../farm/own-redis.mjs';
import { allowedCores, shareOf, spawnNetboot } from '../farm/workers.mjs';
import { SetUpError, say } from '../setup/checkout.mjs';
import { hostFacts } from './report.mjs';

const usage = `Usage: npm run -s bench -- farm [options]

Runs cells on this machine, and on a farm of its own: a Redis on a private socket, and workers that share the cores, each held to
its part by CPU affinity. Every round is one run here and one for each number of workers, one after the other. On both sides
guests start from power-on.

  --cells GLOBS   these cells, by id or group; comma-separated, * for any text; '*' is the default matrix
                  (default: one of each kind, as of netboot run --smoke)
  --workers LIST  numbers of workers, comma-separated (default: 1,2)
  --local DIR     a run of the same cells by the same code, from power-on and on all cores of this machine, in place of those here
  --rounds N      in the second one Redis and the workers have the files of the first (default: 2)
  --out DIR       a new folder that keeps the runs and logs (default: .runs/bench-farm-<time>)
  --json          the figures as JSON on standard output

Exit code: 0, or 1 if a cell came out otherwise on a farm than here.`;

const options = {
  cells: { type: 'string', many: true, default: '' },
  workers: { type: 'string', many: true, default: '1,2' },
  local: { type: 'string' },
  rounds: { type: 'string', count: true, default: '2' },
  out: { type: 'string' },
  json: { type: 'boolean' },
};

const pollMs = 200;
const lockLookMs = 1_000;
const joinsWithinMs = 600_000;

/** Where the output of a process goes. */
const logTo = (path) => ['ignore', ...Array(2).fill(openSync(path, 'a'))];

/** The cache of a worker that has this machine's sets and programs, but has never been on a farm. */
function freshCache(folder) {
  const cache = cacheFolder(process.env);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(cache, { withFileTypes: true })) {
    if (['farm', 'templates', 'lock'].includes(entry.name)) continue;
    if (entry.isFile()) cpSync(join(cache, entry.name), join(folder, entry.name));
    else symlinkSync(join(cache, entry.name), join(folder, entry.name));
  }
  return folder;
}

/** Runs the cells; resolves to the results, once the process has ended. */
async function runCells({ cells, outDir, name, cores, joining = [], signal }) {
  const out = join(outDir, name);
  const chosen = cells.length > 0 ? cells : ['--smoke'];
  const args = ['run', ...chosen, '--accel', 'tcg', '--cold', '--out', out, ...joining];
  const child = spawnNetboot(cores, args, { stdio: logTo(join(outDir, `${name}.log`)) });
  const interrupt = () => child.kill('SIGINT');
  signal.addEventListener('abort', interrupt);
  const [code] = await once(child, 'exit');
  signal.removeEventListener('abort', interrupt);
  signal.throwIfAborted();
  const results = join(out, 'results.json');
  if (!existsSync(results)) throw new SetUpError(`${name} ended with ${code}, without results; see ${out}.log`, 3);
  return JSON.parse(readFileSync(results, 'utf8'));
}

async function untilJoined(redis, names) {
  const all = names.map((name) => keys.worker(name));
  for (const end = performance.now() + joinsWithinMs; (await redis.exists(...all)) < all.length; await pause(pollMs))
    if (performance.now() > end) throw new SetUpError('the workers did not join their farm', 3);
}

async function stopAll(children) {
  const left = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(
    left.map(async (child) => {
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      await ended;
    }),
  );
}

/** Workers that have joined, until they are stopped. */
async function startWorkers({ redis, joining, count, folder, cores }) {
  const names = Array.from({ length: count }, (_, nth) => `w${nth + 1}`);
  const started = names.map((name, nth) => {
    const cache = join(folder, `cache-${name}`);
    if (!existsSync(cache)) freshCache(cache);
    return spawnNetboot(shareOf(cores, nth, count), ['worker', ...joining, '--name', name, '--trust'], {
      env: { ...process.env, NETBOOT_CACHE: cache },
      stdio: logTo(join(folder, `${name}.log`)),
    });
  });
  const meters = started.map(({ pid }) => openCpuMeter(pid));
  await untilJoined(redis, names).catch(async (error) => {
    await stopAll(started);
    throw error;
  });
  return {
    /** CPU of the workers themselves, without their guests. */
    cpuMs: () => meters.reduce((sum, meter) => sum + meter.cpuMs(), 0),
    async stop() {
      for (const meter of meters) meter.close();
      await stopAll(started);
    },
  };
}

/** Looks once a second how long each lock still lasts: a busy worker must renew in time. */
function watchLocks(redis) {
  let leastMs = lockMs;
  const look = async () => {
    for await (const found of redis.scanStream({ match: `${prefix}:*:lock`, count: 1000 })) {
      const left = await Promise.all(found.map((lock) => redis.pttl(lock)));
      leastMs = Math.min(leastMs, ...left.filter((ms) => ms >= 0));
    }
  };
  const timer = setInterval(() => void look().catch(() => {}), lockLookMs);
  return {
    stop() {
      clearInterval(timer);
      return leastMs;
    },
  };
}

const outcomesOf = ({ cases }) => new Map(cases.map((one) => [one.id, one]));

/** A run that was made before, if it can be compared with what is run now. */
function readLocalRun(folder) {
  const results = readResults(folder);
  const refused = (why) => new SetUpError(`--local ${folder}: ${why}`, 2);
  const { code, repeat } = readRunRecord(folder);
  if (code !== ownCodeDigest()) throw refused('it was made by other code than this');
  if (repeat !== 1) throw refused('it has repeats');
  if (results.cases.some((one) => isReused(one) || one.run.savedCpuMs !== undefined))
    throw refused('not all of its guests started from power-on; expected a run with --cold');
  return results;
}

/** Figures of one run, in ms and bytes. */
const figuresOf = ({ wallMs, guestCpuMs, harnessCpuMs, cases }, cores) => ({
  ...{ wallMs, guestCpuMs, cells: cases.length },
  ratio: wallMs / (guestCpuMs / cores.length),
  besideGuestsCpuMs: harnessCpuMs,
});

async function measureFarm(farm, { given, outDir, cores, signal, round }) {
  const { count, redis, joining, folder } = farm;
  const name = `${count}-workers-${round}`;
  const workers = await startWorkers({ redis, joining, count, folder, cores });
  try {
    const [before, cpuBefore] = [await infoOf(redis), workers.cpuMs()];
    const locks = watchLocks(redis);
    const results = await runCells({ cells: given.cells, outDir, name, cores, joining, signal });
    const leastLockMs = locks.stop();
    const [after, workersCpuMs] = [await infoOf(redis), workers.cpuMs() - cpuBefore];
    const grown = (...names) => names.reduce((sum, one) => sum + after[one] - before[one], 0);
    const redisCpuMs = 1000 * grown('used_cpu_user', 'used_cpu_sys');
    const figures = figuresOf(results, cores);
    return {
      ...figures,
      ...{ round, workers: count, submitterCpuMs: figures.besideGuestsCpuMs, workersCpuMs, redisCpuMs },
      besideGuestsCpuMs: figures.besideGuestsCpuMs + workersCpuMs + redisCpuMs,
      intoRedisBytes: grown('total_net_input_bytes'),
      outOfRedisBytes: grown('total_net_output_bytes'),
      redisPeakBytes: after.used_memory_peak,
      leastLockMs,
      outcomes: outcomesOf(results),
    };
  } finally {
    await workers.stop();
  }
}

async function openOwnFarm(outDir, count) {
  const folder = join(outDir, `farm-${count}`);
  mkdirSync(folder);
  const key = join(folder, 'key');
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const own = await startOwnRedis(folder, { stdio: logTo(join(folder, 'redis.log')) });
  return { ...own, folder, count, joining: ['--farm', own.socket, '--farm-key', key] };
}

/** A farm does not take cells whose server is shared. */
const isNeverFarmed = ({ verdict, scenario }) => verdict.status === 'not-run' && isShared(scenario.provisioner);

/** Cells that came out otherwise than here in the same round; those that a farm does not take are no comparison. */
function differencesOf(local, farmed) {
  const ids = [...new Set([...local.outcomes.keys(), ...farmed.outcomes.keys()])];
  return ids.flatMap((id) => {
    const [here, there] = [local.outcomes.get(id), farmed.outcomes.get(id)];
    if ((there && isNeverFarmed(there)) || here?.verdict.status === there?.verdict.status) return [];
    const said = (one) =>
      one === undefined ? 'absent' : [one.verdict.status, one.verdict.diagnosis].filter(Boolean).join(': ');
    return [`${id}: here ${said(here)}; with ${farmed.workers} workers ${said(there)}`];
  });
}

async function measure({ given, known, outDir, cores }, signal) {
  const rows = [];
  const differences = [];
  const neverFarmed = new Set();
  const farms = [];
  try {
    for (const count of given.workers.map(Number)) farms.push(await openOwnFarm(outDir, count));
    for (let round = 1; round <= given.rounds; round++) {
      if (known === undefined) say(`round ${round}: here`);
      const results = known ?? (await runCells({ cells: given.cells, outDir, name: `here-${round}`, cores, signal }));
      const local = { ...figuresOf(results, cores), round, workers: 0, outcomes: outcomesOf(results) };
      rows.push(local);
      for (const farm of farms) {
        say(`round ${round}: ${farm.count} workers`);
        const farmed = await measureFarm(farm, { given, outDir, cores, signal, round });
        const overheadCpuMs = (farmed.besideGuestsCpuMs - local.besideGuestsCpuMs) / farmed.cells;
        rows.push({ ...farmed, ofLocalRatio: farmed.ratio / local.ratio, overheadCpuMs });
        differences.push(...differencesOf(local, farmed));
        for (const one of farmed.outcomes.values()) if (isNeverFarmed(one)) neverFarmed.add(one.id);
      }
    }
  } finally {
    for (const farm of farms) {
      await farm.stop();
      for (const name of readdirSync(farm.folder).filter((one) => one.startsWith('cache-') || one === 'redis'))
        rmSync(join(farm.folder, name), { recursive: true, force: true });
    }
  }
  return { rows: rows.map(({ outcomes: _, ...figures }) => figures), differences, neverFarmed: [...neverFarmed] };
}

const seconds = (ms) => (ms === undefined ? '–' : (ms / 1000).toFixed(1));
const megabytes = (bytes) => (bytes === undefined ? '–' : (bytes / 1e6).toFixed(1));
const columns = [
  { head: '', of: ({ round, workers }) => `round ${round}, ${workers === 0 ? 'here' : `${workers} on the farm`}` },
  { head: 'wall, s', of: ({ wallMs }) => seconds(wallMs) },
  { head: 'guest CPU, s', of: ({ guestCpuMs }) => seconds(guestCpuMs) },
  { head: 'wall ÷ (guest CPU ÷ cores)', of: ({ ratio }) => ratio.toFixed(3) },
  { head: 'of that here', of: ({ ofLocalRatio }) => ofLocalRatio?.toFixed(3) ?? '–' },
  { head: 'other CPU, s', of: ({ besideGuestsCpuMs }) => seconds(besideGuestsCpuMs) },
  { head: 'submitter', of: ({ submitterCpuMs }) => seconds(submitterCpuMs) },
  { head: 'workers', of: ({ workersCpuMs }) => seconds(workersCpuMs) },
  { head: 'Redis', of: ({ redisCpuMs }) => seconds(redisCpuMs) },
  { head: 'more per cell, ms', of: ({ overheadCpuMs }) => overheadCpuMs?.toFixed(0) ?? '–' },
  { head: 'into Redis, MB', of: ({ intoRedisBytes }) => megabytes(intoRedisBytes) },
  { head: 'out of it', of: ({ outOfRedisBytes }) => megabytes(outOfRedisBytes) },
  { head: 'its peak', of: ({ redisPeakBytes }) => megabytes(redisPeakBytes) },
  { head: `least left of a lock, of ${lockMs / 1000} s`, of: ({ leastLockMs }) => seconds(leastLockMs) },
];

function print({ rows, differences, neverFarmed }, { cores, outDir }) {
  const { cpu, node } = hostFacts();
  const table = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ of }) => of(row)))];
  const widths = columns.map((_, at) => Math.max(...table.map((line) => line[at].length)));
  const lines = [
    `${cores.length} × ${cpu}, Node ${node}, TCG; ${rows[0].cells} cells; runs and logs in ${outDir}`,
    ...table.map((line) =>
      line.map((text, at) => (at === 0 ? text.padEnd(widths[at]) : text.padStart(widths[at]))).join('  '),
    ),
    ...(neverFarmed.length > 0 ? [`a farm does not take cells that share a server: ${neverFarmed.join(', ')}`] : []),
    ...differences,
    `${differences.length} cells came out otherwise on a farm than here`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  if (!given.workers.every((count) => /^[1-9]\d?$/.test(count)))
    throw new SetUpError(`--workers: expected numbers such as 1,2; got ${given.workers.join(',')}`, 2);
  const outDir = resolve(given.out ?? `.runs/bench-farm-${stamp()}`);
  if (existsSync(outDir)) throw new SetUpError(`--out: expected a new folder; ${outDir} exists`, 2);
  const known = given.local === undefined ? undefined : readLocalRun(resolve(given.local));
  mkdirSync(outDir, { recursive: true });
  const cores = allowedCores();
  const figures = await interruptible((signal) => measure({ given, known, outDir, cores }, signal));
  if (given.json) process.stdout.write(`${JSON.stringify({ host: hostFacts(), ...figures }, null, 2)}\n`);
  else print(figures, { cores, outDir });
  if (figures.differences.length > 0) process.exitCode = 1;
}
