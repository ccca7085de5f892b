// Runs cells on a farm while its processes are killed, paused and cut off: is every cell recorded once, and rightly?
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { randomFrom } from '../../.build/harness/wire/faults/random.js';
import { interruptible, parsed, stamp } from '../command.mjs';
import { openLink } from '../farm/link.mjs';
import { connectSoon, redisCommand, spawnRedis } from '../farm/own-redis.mjs';
import { allowedCores, main, shareOf, spawnNetboot } from '../farm/workers.mjs';
import { SetUpError, say } from '../setup/checkout.mjs';

const usage = () => `Usage: npm run -s campaign -- farm [options]

Starts a Redis with its append-only file and workers on this machine, which share its cores, and runs cells on them. At
random moments one of them is disturbed: a worker is killed, interrupted, paused past its lock or cut off from Redis; the
submitter is killed (and resumes) or cut off; Redis is killed, or its memory filled. At the end every cell must have been
recorded once, with the verdict that it is expected to have.

  --kills N       how often (default: 10)
  --workers N     how many workers (default: 2)
  --cells GLOBS   these cells, by id or group; comma-separated, * for any text (default: bios-pxe-rom,bios-ipxe-rom)
  --repeat N      each cell so often (default: 3)
  --kinds LIST    only these, comma-separated, of ${Object.keys(troubles).join(', ')} (default: all)
  --seed N        the moments and the victims (default: 1)
  --out DIR       a new folder for Redis, the logs and the run (default: .runs/farm-<time>)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if every cell passed or was flaky, recorded once; 1 otherwise.`;

const options = () => ({
  kinds: { type: 'string', many: true, oneOf: Object.keys(troubles), default: Object.keys(troubles).join(',') },
  kills: { type: 'string', count: true, default: '10' },
  workers: { type: 'string', count: true, default: '2' },
  cells: { type: 'string', many: true, default: 'bios-pxe-rom,bios-ipxe-rom' },
  repeat: { type: 'string', count: true, default: '3' },
  seed: { type: 'string', count: true, default: '1' },
  out: { type: 'string' },
  json: { type: 'boolean' },
});

/** Longer than a worker's lock lasts, and than a run is remembered. */
const longMs = 45_000;
const shortMs = 12_000;
const betweenMs = [4_000, 20_000];

/** A process that is started again whenever it ends, until it is stopped. */
function keepAlive(start) {
  let child = start();
  let isWanted = true;
  const again = () => {
    if (!isWanted) return;
    child = start();
    child.once('exit', again);
  };
  child.once('exit', again);
  return {
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

const lasting = (ms, signal) => pause(ms, undefined, { signal }).catch(() => {});

/** For a while `link` passes nothing on. */
async function cutOff(link, ms, signal) {
  link.cut();
  await lasting(ms, signal);
  link.mend();
}

async function fill({ admin, signal }, ms) {
  const maxmemory = (bytes) => admin.config('SET', 'maxmemory', bytes);
  await maxmemory('1');
  await lasting(ms, signal);
  await maxmemory('0');
}

/** What is done to the farm; each is the work of one kill. Long ones outlast a worker's lock and the memory of a run. */
const troubles = {
  'worker-killed': ({ worker }) => worker.kill('SIGKILL'),
  'worker-interrupted': ({ worker }) => worker.kill('SIGINT'),
  'worker-paused': async ({ worker, signal }) => {
    worker.kill('SIGSTOP');
    await lasting(longMs, signal);
    worker.kill('SIGCONT');
  },
  'worker-cut-off': ({ worker, signal }) => cutOff(worker.link, shortMs, signal),
  'worker-forgotten': ({ worker, signal }) => cutOff(worker.link, longMs, signal),
  'submitter-killed': ({ submitter }) => submitter.kill('SIGKILL'),
  'submitter-cut-off': ({ submitter, signal }) => cutOff(submitter.link, shortMs, signal),
  'submitter-forgotten': ({ submitter, signal }) => cutOff(submitter.link, longMs, signal),
  'redis-killed': ({ redis }) => redis.kill('SIGKILL'),
  'redis-full': (farm) => fill(farm, shortMs),
  'redis-full-long': (farm) => fill(farm, longMs),
};

async function disturb(farm, { random, kinds, kills, workers, signal }) {
  const did = [];
  while (did.length < kills && !signal.aborted) {
    const [least, most] = betweenMs;
    await lasting(least + random() * (most - least), signal);
    if (signal.aborted) break;
    const what = kinds[Math.floor(random() * kinds.length)];
    const worker = workers[Math.floor(random() * workers.length)];
    say(`${did.length + 1}: ${what}${what.startsWith('worker') ? ` (${worker.name})` : ''}`);
    did.push(what);
    await troubles[what]({ ...farm, worker, signal });
  }
  return did;
}

/** Where the output of a process goes, whatever becomes of it. */
const logOf = (outDir, name) => ['ignore', ...Array(2).fill(openSync(join(outDir, `${name}.log`), 'a'))];

function startRedis({ outDir, socket, found }) {
  const stdio = logOf(outDir, 'redis');
  const more = ['--appendonly', 'yes'];
  return keepAlive(() => spawnRedis(found, { folder: join(outDir, 'redis'), socket, stdio, more }));
}

const joiningBy = (link, key) => ['--farm', link.socket, '--farm-key', key];

function startWorkers({ outDir, socket, key, count }) {
  const cores = allowedCores();
  return Array.from({ length: count }, (_, nth) => {
    const name = `w${nth + 1}`;
    const link = openLink(join(outDir, `${name}.sock`), socket);
    const args = ['worker', ...joiningBy(link, key), '--name', name];
    const stdio = logOf(outDir, name);
    return { name, link, ...keepAlive(() => spawnNetboot(shareOf(cores, nth, count), args, { stdio })) };
  });
}

/** The run: one that was killed is resumed. `ended` resolves to its exit code. */
function startSubmitter({ given, outDir, socket, key }) {
  const link = openLink(join(outDir, 'submitter.sock'), socket);
  const out = join(outDir, 'run');
  const stdio = logOf(outDir, 'run');
  const common = ['--accel', 'tcg', '--farm-wait', '600', ...joiningBy(link, key)];
  let child;
  const start = () => {
    const choice = existsSync(join(out, 'run.json'))
      ? ['--resume', out]
      : [...given.cells, '--repeat', String(given.repeat), '--out', out];
    child = spawn(process.execPath, [main, 'run', ...choice, ...common], { stdio });
  };
  const untilEnd = async () => {
    for (;;) {
      start();
      const [code, killedBy] = await once(child, 'exit');
      if (killedBy !== 'SIGKILL') return code;
    }
  };
  return { link, kill: (signal) => child.kill(signal), ended: untilEnd() };
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
    ...(did.length === 0 ? ['the run ended before anything was done to it'] : []),
    ...wrong.map(({ id, verdict }) => `${id}: ${verdict.status}: ${verdict.diagnosis}`),
    ...missing,
    ...twice.map((folder) => `${folder}: not one result`),
  ];
  return { ok: problems.length === 0, cells: cases.length, did, exitCode, wrong: problems, notes };
}

function print({ cells, did, wrong, notes }, { outDir, kills }) {
  const counts = [...new Set(did)].sort().map((what) => `${what}: ${did.filter((one) => one === what).length}`);
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
async function runDisturbed(farm, { given, workers, signal }) {
  const { submitter } = farm;
  signal.addEventListener('abort', () => submitter.kill('SIGINT'));
  const ending = new AbortController();
  const ended = submitter.ended.then((code) => {
    ending.abort();
    return code;
  });
  const random = randomFrom(given.seed);
  const until = AbortSignal.any([signal, ending.signal]);
  const did = await disturb(farm, { random, kinds: given.kinds, kills: given.kills, workers, signal: until });
  return { did, exitCode: await ended };
}

export async function run(argv) {
  const given = parsed(argv, options(), usage());
  if (given === undefined) return;
  const outDir = resolve(given.out ?? `.runs/farm-${stamp()}`);
  if (existsSync(outDir)) throw new SetUpError(`--out: expected a new folder; ${outDir} exists`, 2);
  mkdirSync(outDir, { recursive: true });
  const [socket, key] = [join(outDir, 'redis.sock'), join(outDir, 'key')];
  writeFileSync(key, randomBytes(32), { mode: 0o600 });
  const redis = startRedis({ outDir, socket, found: await redisCommand() });
  const admin = await connectSoon(socket);
  const workers = startWorkers({ outDir, socket, key, count: given.workers });
  const submitter = startSubmitter({ given, outDir, socket, key });
  const { did, exitCode } = await interruptible((signal) =>
    runDisturbed({ redis, admin, submitter }, { given, workers, signal }),
  ).finally(async () => {
    for (const { stop, link } of workers) {
      await stop('SIGINT');
      link.close();
    }
    submitter.link.close();
    admin.disconnect();
    await redis.stop('SIGKILL');
  });
  const report = reportOf(outDir, did, exitCode);
  if (given.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else print(report, { outDir, kills: given.kills });
  if (!report.ok) process.exitCode = 1;
}
