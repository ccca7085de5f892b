// How large can a farm be? Thousands of cells, and workers that sleep through them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { packageVersion } from '../../.build/harness/cli/package-version.js';
import { mostOpen } from '../../.build/harness/farm/keys.js';
import { makeOffer } from '../../.build/harness/farm/offer.js';
import { lookAtFarm } from '../../.build/harness/farm/overview.js';
import { openSealing } from '../../.build/harness/farm/seal.js';
import { cacheFolder } from '../../.build/harness/os/cache-folder.js';
import { interruptible, parsed } from '../command.mjs';
import { infoOf, startOwnRedis } from '../farm/own-redis.mjs';
import { SetUpError, say } from '../setup/checkout.mjs';
import { farmKey } from './farm-simulation/key.mjs';
import { hostFacts } from './report.mjs';

const usage = `Usage: npm run -s bench -- farm-simulation [options]

Sends the default matrix so often that there are as many cells as asked for, and has workers sleep through them. Redis,
BullMQ, the submitter and all of a worker but the boot are real; records are not sent. Redis is filled first, with as many cells as
a run may have there. Then workers join in steps. In each they sleep for the recorded length of each cell times the scale, and
the submitter sends further cells as results come; once every worker has run a cell, what that costs is watched for some seconds.

  --cells N       how many cells (default: 100000)
  --workers LIST  how many workers, comma-separated and growing (default: 10,100,1000)
  --scale LIST    of the recorded lengths, of which the longest come first; 0 does not sleep, which shows the most that there
                  can be (default: 0.02,0)
  --seconds N     how long each step is watched (default: 30)
  --json          the figures as JSON on standard output`;

const options = {
  cells: { type: 'string', count: true, default: '100000' },
  workers: { type: 'string', many: true, default: '10,100,1000' },
  scale: { type: 'string', many: true, default: '0.02,0' },
  seconds: { type: 'string', count: true, default: '30' },
  json: { type: 'boolean' },
};

const perProcess = 250;
const pollMs = 250;
const looksPerLine = 8;

const scripts = {
  submitter: new URL('farm-simulation/submitter.mjs', import.meta.url),
  workers: new URL('farm-simulation/workers.mjs', import.meta.url),
};

/** A process that answers `report`; what it says of its troubles goes to ours. */
function startPart(name) {
  const child = fork(scripts[name], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const failed = once(child, 'exit').then(([code]) => {
    throw new SetUpError(`the ${name} of the simulation ended with ${code}`, 3);
  });
  failed.catch(() => {});
  return {
    send: (message) => child.send(message),
    async report() {
      child.send({ report: true });
      const [answer] = await Promise.race([once(child, 'message'), failed]);
      return answer;
    },
    failed,
    end() {
      failed.catch(() => {});
      child.kill('SIGKILL');
    },
  };
}

async function offerOfThisMachine() {
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const cacheDir = cacheFolder(process.env);
  return makeOffer({ worker: 'one', cacheDir, version: packageVersion(), host, labels: [], trust: true });
}

/** Looks until it is so, and says how far it is now and then. */
async function until(what, look, signal, failed) {
  for (let looks = 1; ; looks++) {
    signal.throwIfAborted();
    if (await Promise.race([look(), failed])) return;
    if (looks % looksPerLine === 0) say(what());
    await pause(pollMs, undefined, { signal });
  }
}

/** Sends all cells that may be sent before any has finished; nobody takes one yet. */
async function sendAll({ given, redis, socket, folder, signal }) {
  const submitter = startPart('submitter');
  const before = await infoOf(redis);
  submitter.send({ submit: { socket, cells: given.cells, outDir: join(folder, 'run') } });
  let waiting = 0;
  let last = await submitter.report();
  await until(
    () => `${waiting} of ${Math.min(given.cells, mostOpen)} cells are sent, ${last.memoryMiB} MiB`,
    async () => {
      const { runs } = await lookAtFarm(redis, openSealing(farmKey));
      waiting = runs[0]?.waiting ?? 0;
      last = await submitter.report();
      // Some of the matrix are never sent, with a reason: they are finished.
      return last.cells > 0 && (waiting > 0.99 * mostOpen || waiting + last.finished === last.cells);
    },
    signal,
    submitter.failed,
  );
  const after = await infoOf(redis);
  const sent = {
    cells: waiting,
    queues: (await lookAtFarm(redis, openSealing(farmKey))).runs[0].run.needs.length,
    sendS: (last.nowMs - last.readyMs) / 1000,
    sendCpuMs: (last.cpuMs - last.readyCpuMs) / waiting,
    /** Of the run as it is without a farm, and with all sent. */
    readyMiB: last.readyMiB,
    submitterMiB: last.memoryMiB,
    redisMiB: (after.used_memory - before.used_memory) / 2 ** 20,
    redisCpuMs: cpuOf(before, after) / waiting,
  };
  return { submitter, sent };
}

const cpuOf = (before, after) =>
  1000 * (after.used_cpu_user + after.used_cpu_sys - before.used_cpu_user - before.used_cpu_sys);

const sumOf = (reports, name) => reports.reduce((sum, report) => sum + report[name], 0);
const reportsOf = (crews) => Promise.all(crews.map((crew) => crew.report()));
const tellAll = (crews, message) => {
  for (const crew of crews) crew.send(message);
};

/** Starts more workers; all that have joined hold a cell then. */
async function joinWorkers(count, { crews, joined, offer, socket, signal, failed }) {
  const names = Array.from({ length: count - joined }, (_, nth) => `w${joined + nth + 1}`);
  for (let at = 0; at < names.length; at += perProcess) {
    const crew = startPart('workers');
    crews.push(crew);
    crew.send({ join: { names: names.slice(at, at + perProcess), socket, offer } });
  }
  let there = 0;
  await until(
    () => `${there} of ${count} workers have taken a cell`,
    async () => {
      there = sumOf(await reportsOf(crews), 'held');
      return there === count;
    },
    signal,
    failed,
  );
}

/** Lets the workers run; each has run a cell then, so that little is left of how they began. */
async function begin(scale, { count, crews, signal, failed }) {
  tellAll(crews, { begin: scale });
  let begun = 0;
  await until(
    () => `${begun} of ${count} workers have run a cell`,
    async () => {
      begun = sumOf(await reportsOf(crews), 'begun');
      return begun === count;
    },
    signal,
    failed,
  );
}

const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** What a while of the farm's work costs. */
async function watch({ count, scale, given, crews, submitter, redis, signal }) {
  const look = async () => ({ redis: await infoOf(redis), submitter: await submitter.report(), ms: performance.now() });
  const before = await look();
  tellAll(crews, { count: true });
  await pause(given.seconds * 1000, undefined, { signal });
  const [after, reports] = [await look(), await reportsOf(crews)];
  tellAll(crews, { hold: true });
  if (after.submitter.finished === after.submitter.cells)
    throw new SetUpError(
      `all cells ran before the watch of ${count} workers was over; more --cells or fewer --seconds`,
      2,
    );
  const seconds = (after.ms - before.ms) / 1000;
  const ran = sumOf(reports, 'cells');
  const gaps = reports.flatMap(({ gapsMs }) => gapsMs).sort((a, b) => a - b);
  const recorded = after.submitter.finished - before.submitter.finished;
  const redisCpuMs = cpuOf(before.redis, after.redis);
  const workersCpuMs = sumOf(reports, 'cpuMs');
  const submitterCpuMs = after.submitter.cpuMs - before.submitter.cpuMs;
  const grown = (name) => (after.redis[name] - before.redis[name]) / 1e6 / seconds;
  return {
    ...{ workers: count, scale, seconds, ran: ran / seconds, recorded: recorded / seconds },
    latencyMs: gaps.length === 0 ? null : { median: quantile(gaps, 0.5), p99: quantile(gaps, 0.99) },
    redisBusy: redisCpuMs / 1000 / seconds,
    redisMs: redisCpuMs / ran,
    submitterBusy: submitterCpuMs / 1000 / seconds,
    submitterMs: submitterCpuMs / recorded,
    workersBusy: workersCpuMs / 1000 / seconds,
    workerMs: workersCpuMs / ran,
    submitterMiB: after.submitter.memoryMiB,
    submitterPeakMiB: after.submitter.peakMiB,
    redisMiB: after.redis.used_memory / 2 ** 20,
    redisClients: after.redis.connected_clients,
    intoRedisMBs: grown('total_net_input_bytes'),
    outOfRedisMBs: grown('total_net_output_bytes'),
  };
}

async function simulate(given, folder, signal) {
  const offer = await offerOfThisMachine();
  const log = openSync(join(folder, 'redis.log'), 'a');
  const own = await startOwnRedis(folder, { stdio: ['ignore', log, log] });
  const crews = [];
  let submitter;
  try {
    const { sent, ...started } = await sendAll({ ...own, given, folder, signal });
    submitter = started.submitter;
    const steps = [];
    let joined = 0;
    for (const count of given.workers.map(Number)) {
      const { failed } = submitter;
      await joinWorkers(count, { ...own, crews, joined, offer, signal, failed });
      joined = count;
      for (const scale of given.scale.map(Number)) {
        await begin(scale, { count, crews, signal, failed });
        say(`${count} workers, lengths × ${scale}`);
        steps.push(await watch({ ...own, count, scale, given, crews, submitter, signal }));
      }
    }
    return { sent, steps };
  } finally {
    for (const part of [...crews, ...(submitter ? [submitter] : [])]) part.end();
    await own.stop();
  }
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
const columns = [
  { head: 'workers', of: ({ workers }) => String(workers) },
  { head: 'lengths', of: ({ scale }) => `× ${scale}` },
  { head: 'cells/s run', of: ({ ran }) => ran.toFixed(1) },
  { head: 'recorded', of: ({ recorded }) => recorded.toFixed(1) },
  { head: 'to the next cell, ms', of: ({ latencyMs }) => latencyMs?.median.toFixed(0) ?? '–' },
  { head: 'p99', of: ({ latencyMs }) => latencyMs?.p99.toFixed(0) ?? '–' },
  { head: 'Redis: CPU', of: ({ redisBusy }) => percent(redisBusy) },
  { head: 'ms a cell', of: ({ redisMs }) => redisMs.toFixed(2) },
  { head: 'MiB', of: ({ redisMiB }) => redisMiB.toFixed(0) },
  { head: 'clients', of: ({ redisClients }) => String(redisClients) },
  { head: 'in, MB/s', of: ({ intoRedisMBs }) => intoRedisMBs.toFixed(1) },
  { head: 'out', of: ({ outOfRedisMBs }) => outOfRedisMBs.toFixed(1) },
  { head: 'submitter: CPU', of: ({ submitterBusy }) => percent(submitterBusy) },
  { head: 'ms a cell', of: ({ submitterMs }) => submitterMs.toFixed(2) },
  { head: 'MiB', of: ({ submitterMiB }) => String(submitterMiB) },
  { head: 'workers: CPU', of: ({ workersBusy }) => percent(workersBusy) },
  { head: 'ms a cell', of: ({ workerMs }) => workerMs.toFixed(2) },
];

function print({ sent, steps }) {
  const { cores, cpu, node, load } = hostFacts();
  const table = [columns.map(({ head }) => head), ...steps.map((step) => columns.map(({ of }) => of(step)))];
  const widths = columns.map((_, at) => Math.max(...table.map((line) => line[at].length)));
  const lines = [
    `${cores} × ${cpu}, Node ${node}, load ${load.toFixed(1)}; CPU in shares of one core`,
    `${sent.cells} cells in ${sent.queues} queues sent in ${sent.sendS.toFixed(1)} s before a worker joined; per cell ${sent.sendCpuMs.toFixed(2)} ms CPU of the submitter, ${sent.redisCpuMs.toFixed(2)} ms of Redis`,
    `submitter ${sent.readyMiB} MiB before, ${sent.submitterMiB} MiB once all are sent; Redis ${sent.redisMiB.toFixed(0)} MiB more`,
    ...table.map((line) => line.map((text, at) => text.padStart(widths[at])).join('  ')),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  const folder = mkdtempSync(join(tmpdir(), 'netboot-simulation-'));
  mkdirSync(join(folder, 'redis'), { recursive: true });
  process.once('exit', () => existsSync(folder) && rmSync(folder, { recursive: true, force: true }));
  if (given.cells <= Math.max(...given.workers.map(Number)))
    throw new SetUpError('--cells: expected more than workers', 2);
  const figures = await interruptible((signal) => simulate(given, folder, signal));
  if (given.json) process.stdout.write(`${JSON.stringify({ host: hostFacts(), ...figures }, null, 2)}\n`);
  else print(figures);
}
