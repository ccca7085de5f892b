// Runs cells on a farm while workers and Redis are killed, paused and cut off: is every cell recorded once, and rightly?
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { SetUpError, say } from '../setup/checkout.mjs';
import { interruptible, parsed, stamp } from './command.mjs';

const usage = `Usage: npm run -s campaign -- farm [options]

Starts a Redis with its append-only file and workers on this machine, each held to one core, and runs cells on them. At
random moments one of them is killed and started again, a worker is paused past its lock, or Redis is killed. At the end
every cell must have been recorded once, with the verdict that it is expected to have.

  --kills N       how often (default: 10)
  --workers N     how many workers (default: 2)
  --cells GLOBS   these cells, by id or group; comma-separated, * for any text (default: bios-pxe-rom,bios-ipxe-rom)
  --repeat N      each cell so often (default: 3)
  --seed N        the moments and the victims (default: 1)
  --out DIR       a new folder for Redis, the logs and the run (default: .runs/farm-<time>)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if every cell passed or was flaky, recorded once; 1 otherwise.`;

const options = {
  kills: { type: 'string', count: true, default: '10' },
  workers: { type: 'string', count: true, default: '2' },
  cells: { type: 'string', many: true, default: 'bios-pxe-rom,bios-ipxe-rom' },
  repeat: { type: 'string', count: true, default: '3' },
  seed: { type: 'string', count: true, default: '1' },
  out: { type: 'string' },
  json: { type: 'boolean' },
};

const main = fileURLToPath(new URL('../../.build/harness/cli/main.js', import.meta.url));
const pausedMs = 45_000;
const betweenMs = [8_000, 30_000];

/** Mulberry32: the same moments for the same seed. */
function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A process that is started again whenever it ends, until it is stopped. */
function keepAlive(name, start) {
  let child = start();
  let isWanted = true;
  const again = () => {
    if (!isWanted) return;
    child = start();
    child.once('exit', again);
  };
  child.once('exit', again);
  return {
    name,
    kill: (signal) => child.kill(signal),
    async stop(signal) {
      isWanted = false;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill(signal);
      await ended;
    },
  };
}

async function redisCommand() {
  const { sets } = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const found = await sets.command('redis-server');
  if ('missing' in found) throw new SetUpError(`${found.missing}; npm run setup fetches it`, 3);
  return found;
}

/** What is done to the farm; each is the work of one kill. */
const troubles = {
  'worker killed': ({ worker }) => worker.kill('SIGKILL'),
  'worker paused past its lock': async ({ worker, signal }) => {
    worker.kill('SIGSTOP');
    await pause(pausedMs, undefined, { signal }).catch(() => {});
    worker.kill('SIGCONT');
  },
  'worker interrupted': ({ worker }) => worker.kill('SIGINT'),
  'Redis killed': ({ redis }) => redis.kill('SIGKILL'),
};

async function disturb({ random, kills, workers, redis, signal }) {
  const did = [];
  while (did.length < kills && !signal.aborted) {
    const [least, most] = betweenMs;
    await pause(least + random() * (most - least), undefined, { signal }).catch(() => {});
    if (signal.aborted) break;
    const names = Object.keys(troubles);
    const what = names[Math.floor(random() * names.length)];
    const worker = workers[Math.floor(random() * workers.length)];
    say(`${did.length + 1}: ${what}${what === 'Redis killed' ? '' : ` (${worker.name})`}`);
    did.push(what);
    await troubles[what]({ worker, redis, signal });
  }
  return did;
}

/** Where the output of a process goes, whatever becomes of it. */
const logOf = (outDir, name) => ['ignore', ...Array(2).fill(openSync(join(outDir, `${name}.log`), 'a'))];

function startRedis({ outDir, socket, found }) {
  const args = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--dir',
    join(outDir, 'redis'),
    '--save',
    '',
    '--appendonly',
    'yes',
  ];
  const stdio = logOf(outDir, 'redis');
  return keepAlive('redis', () => spawn(found.path, args, { env: { ...process.env, ...found.env }, stdio }));
}

function startWorkers({ outDir, joining, env, count }) {
  return Array.from({ length: count }, (_, nth) => {
    const name = `w${nth + 1}`;
    const core = String(nth % cpus().length);
    const args = ['-c', core, process.execPath, main, 'worker', ...joining, '--name', name];
    const stdio = logOf(outDir, name);
    return keepAlive(name, () => spawn('taskset', args, { env, stdio }));
  });
}

function reportOf(outDir, did, exitCode) {
  const file = join(outDir, 'run/results.json');
  if (!existsSync(file))
    return { ok: false, did, exitCode, wrong: ['the run left no results.json'], cells: 0, notes: [] };
  const { cases, notes } = JSON.parse(readFileSync(file, 'utf8'));
  const wrong = cases.filter(({ verdict }) => !['passed', 'flaky'].includes(verdict.status));
  const folders = readdirSync(join(outDir, 'run/cases'));
  const missing = cases.filter(({ id }) => !folders.includes(id)).map(({ id }) => `${id}: no records`);
  const twice = folders.filter((folder) => cases.filter(({ id }) => id === folder).length !== 1);
  const problems = [
    ...wrong.map(({ id, verdict }) => `${id}: ${verdict.status}: ${verdict.diagnosis}`),
    ...missing,
    ...twice.map((folder) => `${folder}: not one result`),
  ];
  return { ok: problems.length === 0, cells: cases.length, did, exitCode, wrong: problems, notes };
}

function print({ cells, did, wrong, notes }, { outDir, kills }) {
  const counts = Object.keys(troubles).map((what) => `${what}: ${did.filter((one) => one === what).length}`);
  const early =
    did.length < kills
      ? [`the run ended before ${kills - did.length} of ${kills} kills: give it more cells or repeats`]
      : [];
  const lines = [
    ...wrong,
    ...early,
    ...notes,
    `${cells} cases, ${did.length} kills (${counts.join(', ')}): ${wrong.length} cases are missing, wrong or recorded twice; ${outDir}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The run, disturbed; resolves to what was done to it and its exit code. */
async function runDisturbed({ given, outDir, joining, env, workers, redis, signal }) {
  const args = [...given.cells, '--accel', 'tcg', '--repeat', String(given.repeat), '--farm-wait', '600'];
  const argv = [main, 'run', ...args, '--out', join(outDir, 'run'), ...joining];
  const child = spawn(process.execPath, argv, { env, stdio: logOf(outDir, 'run') });
  signal.addEventListener('abort', () => child.kill('SIGINT'));
  const ending = new AbortController();
  const ended = once(child, 'exit').then(([code]) => {
    ending.abort();
    return code;
  });
  const random = randomOf(given.seed);
  const until = AbortSignal.any([signal, ending.signal]);
  const did = await disturb({ random, kills: given.kills, workers, redis, signal: until });
  return { did, exitCode: await ended };
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const outDir = resolve(given.out ?? `.runs/farm-${stamp()}`);
  if (existsSync(outDir)) throw new SetUpError(`--out: expected a new folder; ${outDir} exists`, 2);
  mkdirSync(join(outDir, 'redis'), { recursive: true });
  const [socket, key] = [join(outDir, 'redis.sock'), join(outDir, 'key')];
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const redis = startRedis({ outDir, socket, found: await redisCommand() });
  while (!existsSync(socket)) await pause(50);
  const shared = { outDir, joining: ['--farm', socket, '--farm-key', key], env: process.env };
  const workers = startWorkers({ ...shared, count: given.workers });
  const { did, exitCode } = await interruptible((signal) =>
    runDisturbed({ ...shared, given, workers, redis, signal }),
  ).finally(async () => {
    for (const worker of workers) await worker.stop('SIGINT');
    await redis.stop('SIGKILL');
  });
  const report = reportOf(outDir, did, exitCode);
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else print(report, { outDir, kills: given.kills });
  if (!report.ok) process.exitCode = 1;
}
