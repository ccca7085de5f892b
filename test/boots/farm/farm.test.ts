import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { beforeAll, describe, expect, it } from 'vitest';
import { createFingerprints } from '../../../harness/assets/fingerprint.ts';
import { prefix, resultQueue } from '../../../harness/farm/keys.ts';
import { openRedisStore } from '../../../harness/farm/redis-store.ts';
import { openSealing } from '../../../harness/farm/seal.ts';
import { cacheFolder } from '../../../harness/os/cache-folder.ts';
import { readEvents } from '../../../harness/run/records/run-directory.ts';
import { compile, until } from '../cli.ts';
import { day } from '../never-runs.ts';
import {
  type Farm,
  guests,
  idOf,
  main,
  onFarm,
  quick,
  resultsIn,
  statuses,
  untilAnswer,
  untilRunning,
  untilThere,
  waits,
} from './on-farm.ts';

beforeAll(compile, 120_000);

/** The queue of the only cells of the only run. */
const untilQueue = ({ redis }: Farm): Promise<string> =>
  untilAnswer('the queue', async () => (await redis.keys(`${prefix}:*.*:prioritized`))[0]?.split(':')[1]);

/** To iPXE's script, from the ROM that comes with QEMU. */
const booting = (name: string) => ({
  ...{ name, arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'bundled' },
  ...{ secondStage: 'none', transport: 'tftp' },
});

/** The sets and programs of this machine's cache. */
function cacheWithoutTemplates(folder: string): string {
  const [from, cache] = [cacheFolder(process.env), join(folder, 'cache')];
  mkdirSync(cache);
  for (const name of readdirSync(from).filter((one) => !['templates', 'farm', 'lock'].includes(one)))
    symlinkSync(join(from, name), join(cache, name));
  return cache;
}

const eventTypes = (directory: string): string[] => readEvents(directory).map(({ type }) => type);

/** Takes a cell as soon as there is one. */
async function untilTaken(taker: Worker, token: string): Promise<void> {
  for (const end = performance.now() + 60_000; ; ) {
    if (await taker.getNextJob(token, { block: false })) return;
    if (performance.now() > end) throw new Error('the cell did not come back');
    await pause(100);
  }
}

// Each has a Redis, workers and a folder of its own, and mostly waits.
describe.concurrent('a farm of two workers', () => {
  it('runs the cells of a matrix, with the records, reports and exit code of a local run', async () => {
    await onFarm(async (farm) => {
      const { place, redis } = farm;
      const workers = ['one', 'two'].map((name) => farm.worker(name));
      await untilThere(farm, 'one', 'two');
      const names = ['a', 'b', 'c', 'd'];
      const { exitCode, stdout, stderr } = await farm.run(names.map(quick), '--priority', '3').finished;
      expect(stderr).toBe('');
      expect(stdout).toContain('4 cases: 4 passed');
      expect(exitCode).toBe(0);
      expect(statuses(place)).toEqual({ a: 'passed', b: 'passed', c: 'passed', d: 'passed' });
      expect(resultsIn(place).notes.join()).toMatch(/^cells by worker of the farm: /);
      // Whatever reads a local run reads this one.
      const directory = join(place.folder, 'out/cases', idOf('a'));
      const judged = await place.start(main, 'judge', directory).finished;
      expect(judged.stdout).toContain(`passed      ${idOf('a')}`);
      expect(judged.stdout).not.toContain('recorded as');
      const again = await place.start(main, 'repro', directory, '--trust', '--accel', 'tcg').finished;
      expect(again.stderr).toBe('');
      expect(again.exitCode).toBe(0);
      // Nothing of the run stays in Redis but the files, which expire.
      const left = await redis.keys(`${prefix}:*`);
      expect(left.filter((one) => !/:(file|chunk|workers?)\b/.test(one))).toEqual([]);
      for (const file of left.filter((one) => /:(file|chunk):/.test(one)))
        expect(await redis.ttl(file)).toBeGreaterThan(0);
      for (const worker of workers) worker.kill('SIGINT');
      for (const worker of workers) expect((await worker.finished).exitCode).toBe(130);
      expect(place.survivors()).toEqual([]);
    });
  });

  it('has the cells of a worker that was killed done by the other, and records them once', async () => {
    await onFarm(async (farm) => {
      const { place } = farm;
      const workers = new Map(['one', 'two'].map((name) => [name, farm.worker(name)]));
      const run = farm.run([waits('slow', 20_000), quick('a')]);
      const holder = await untilRunning(farm, [...workers.keys()], idOf('slow'));
      workers.get(holder)!.kill('SIGKILL');
      const { exitCode, stdout } = await run.finished;
      expect(stdout).toContain('2 cases: 2 passed');
      expect(exitCode).toBe(0);
      expect(readdirSync(join(place.folder, 'out/cases')).sort()).toEqual([idOf('a'), idOf('slow')]);
      const other = holder === 'one' ? 'two' : 'one';
      expect(resultsIn(place).notes.join()).toContain(other);
    });
  });

  it('has the cells of a worker that was paused past its lock done by the other, and drops what it has', async () => {
    await onFarm(async (farm) => {
      const { place } = farm;
      const workers = new Map(['one', 'two'].map((name) => [name, farm.worker(name)]));
      const run = farm.run([waits('slow', 20_000)]);
      const holder = await untilRunning(farm, [...workers.keys()], idOf('slow'));
      const other = holder === 'one' ? 'two' : 'one';
      workers.get(holder)!.kill('SIGSTOP');
      await untilRunning(farm, [other], idOf('slow'));
      workers.get(holder)!.kill('SIGCONT');
      const { exitCode, stdout } = await run.finished;
      expect(stdout).toContain('1 case: 1 passed');
      expect(exitCode).toBe(0);
      expect(readdirSync(join(place.folder, 'out/cases'))).toEqual([idOf('slow')]);
      for (const worker of workers.values()) worker.kill('SIGINT');
      for (const worker of workers.values()) await worker.finished;
      expect(place.survivors()).toEqual([]);
    });
  });

  it("starts cells of one machine from a template, which is the worker's own", async () => {
    await onFarm(async (farm) => {
      const { place } = farm;
      place.env.NETBOOT_CACHE = cacheWithoutTemplates(place.folder);
      const worker = farm.worker('one', '--jobs', '1');
      const { exitCode, stdout } = await farm.run(['a', 'b'].map(booting)).finished;
      expect(stdout).toContain('2 cases: 2 passed');
      expect(exitCode).toBe(0);
      const started = resultsIn(place).cases.map(({ id }) => eventTypes(join(place.folder, 'out/cases', id)));
      expect(started.filter((types) => types.includes('template-saved'))).toHaveLength(1);
      expect(started.filter((types) => types.includes('restored'))).toHaveLength(1);
      expect(resultsIn(place).cases.filter(({ run }) => (run.savedCpuMs ?? 0) > 0)).toHaveLength(1);
      worker.kill('SIGINT');
      await worker.finished;
    });
  });

  it('drops a second result of a cell, and says so', async () => {
    await onFarm(async (farm) => {
      const { place, redis } = farm;
      const worker = farm.worker('one');
      const run = farm.run([waits('slow', 15_000), quick('a')]);
      const id = idOf('a');
      await until('the first result', () => existsSync(join(place.folder, 'out/cases', id, 'result.json')), 120_000);
      await untilRunning(farm, ['one'], idOf('slow'));
      const [runKey] = await redis.keys(`${prefix}:run:*`);
      const ofRun = runKey!.split(':').at(-1)!;
      const results = new Queue(resultQueue(ofRun), { connection: redis, prefix });
      const second = { run: ofRun, id, worker: 'late', outcome: { status: 'error', reason: 'it came late' } };
      await results.add('result', { sealed: openSealing(Buffer.from('k'.repeat(32))).seal('result', second) });
      const { exitCode } = await run.finished;
      await results.close();
      expect(statuses(place)).toEqual({ slow: 'passed', a: 'passed' });
      expect(resultsIn(place).notes).toContain(`a second result of ${id} came from worker late, and was dropped`);
      expect(exitCode).toBe(0);
      worker.kill('SIGINT');
      await worker.finished;
    });
  });

  it('records one of two results that come at once', async () => {
    await onFarm(async (farm) => {
      const { place, redis } = farm;
      const worker = farm.worker('one');
      const run = farm.run([waits('slow', 60_000)]);
      const id = idOf('slow');
      await untilRunning(farm, ['one'], id);
      const [runKey] = await redis.keys(`${prefix}:run:*`);
      const ofRun = runKey!.split(':').at(-1)!;
      const store = openRedisStore(redis, { say: () => {}, signal: new AbortController().signal });
      const sealing = openSealing(Buffer.from('k'.repeat(32)));
      const jobs = [];
      for (const name of ['left', 'right']) {
        const path = place.write(`${name}.zip`, name);
        const bundle = await createFingerprints().of(path);
        await store.put(bundle, path);
        const outcome = { bundle, accel: 'tcg', durationMs: 1, guestCpuMs: 1, paths: [] };
        jobs.push({
          name: 'result',
          data: { sealed: sealing.seal('result', { run: ofRun, id, worker: name, outcome }) },
        });
      }
      const results = new Queue(resultQueue(ofRun), { connection: redis, prefix });
      await results.addBulk(jobs);
      await run.finished;
      await results.close();
      expect(statuses(place)).toEqual({ slow: 'error' });
      expect(resultsIn(place).notes.filter((note) => note.startsWith(`a second result of ${id}`))).toHaveLength(1);
      worker.kill('SIGINT');
      await worker.finished;
    });
  });

  it('gives up a cell that was lost with three workers, as an error', async () => {
    await onFarm(async (farm) => {
      const { place, redis } = farm;
      const run = farm.run([quick('a')], '--farm-wait', '300');
      const queue = await untilQueue(farm);
      // Takes the cell as a worker does, and is never heard of again.
      const taker = new Worker(queue, null, { connection: redis, prefix, lockDuration: 1000 });
      for (let lost = 0; lost < 3; lost++) await untilTaken(taker, `taker-${lost}`);
      await taker.close(true);
      const worker = farm.worker('one');
      const { exitCode, stdout } = await run.finished;
      expect(stdout).toContain('3 workers were lost while they ran this cell, and it is not given to another');
      expect(statuses(place)).toEqual({ a: 'error' });
      expect(exitCode).toBe(3);
      worker.kill('SIGINT');
      await worker.finished;
    });
  });

  it('stops the cells of a run that is interrupted', async () => {
    await onFarm(async (farm) => {
      const { place } = farm;
      const worker = farm.worker('one');
      const run = farm.run([waits('endless', day)]);
      await untilRunning(farm, ['one'], idOf('endless'));
      await until('the guest', () => guests(place).length > 0);
      run.kill('SIGINT');
      expect((await run.finished).exitCode).toBe(130);
      expect(statuses(place)).toEqual({ endless: 'interrupted' });
      await until('the end of the guest', () => guests(place).length === 0);
      worker.kill('SIGINT');
      await worker.finished;
    });
  });
});

describe.concurrent('who a worker listens to', () => {
  it('runs nothing that was not signed with its key', async () => {
    let forged = false;
    await onFarm(async (farm) => {
      const { place, redis } = farm;
      const worker = farm.worker('one');
      const run = farm.run([waits('endless', day)]);
      await untilRunning(farm, ['one'], idOf('endless'));
      // Into the queue of a real run, as anybody can who reaches Redis.
      const [key] = await redis
        .keys(`${prefix}:*.*:meta`)
        .then((all) => all.filter((one) => !one.includes('.results:')));
      const queue = new Queue(key!.split(':')[1]!, { connection: redis, prefix });
      const data = { sealed: JSON.stringify({ body: '{"run":"x"}', mac: null }) };
      await queue.add('cell', data, { jobId: 'forged', priority: 1 });
      await until('the end of the forged cell', () => {
        void queue.getJob('forged').then(async (job) => {
          if (await job?.isCompleted()) forged = true;
        });
        return forged;
      });
      await queue.close();
      run.kill('SIGINT');
      await run.finished;
      worker.kill('SIGINT');
      expect((await worker.finished).stderr).toContain('forged: refused: it is not signed');
      expect(readdirSync(join(place.folder, 'out/cases'))).toEqual([]);
    });
  });

  it('a worker with another key takes no cells, and the run says that there is none', async () => {
    await onFarm(async (farm) => {
      const { place, socket } = farm;
      const key = join(place.folder, 'other');
      writeFileSync(key, 'o'.repeat(32), { mode: 0o600 });
      const other = place.start(main, 'worker', '--farm', socket, '--farm-key', key);
      const { exitCode, stdout, stderr } = await farm.run([quick('a')], '--farm-wait', '5').finished;
      expect(stderr).toContain(`no worker can run ${idOf('a')}: there is no worker; waiting 5 s`);
      expect(stdout).toContain('No worker of the farm can run it: there is no worker.');
      expect(exitCode).toBe(3);
      other.kill('SIGINT');
      await other.finished;
    });
  });

  it('says why a worker cannot run a cell: it does not trust its submitters', async () => {
    await onFarm(async (farm) => {
      const { place, socket } = farm;
      const untrusting = place.start(
        main,
        'worker',
        '--farm',
        socket,
        '--farm-key',
        join(place.folder, 'key'),
        '--name',
        'careful',
      );
      await untilThere(farm, 'careful');
      const { exitCode, stdout } = await farm.run([waits('a', 1000), quick('b')], '--farm-wait', '20').finished;
      expect(stdout).toContain('careful: it was started without --trust, and the cell reaches beyond the guest');
      expect(statuses(place)).toEqual({ a: 'not-run', b: 'passed' });
      expect(exitCode).toBe(3);
      untrusting.kill('SIGINT');
      await untrusting.finished;
    });
  });

  it('keeps the password of Redis to itself', async () => {
    await onFarm(
      async (farm) => {
        const { place } = farm;
        const worker = farm.worker('one');
        const run = await farm.run([quick('a')]).finished;
        expect(run.exitCode).toBe(0);
        worker.kill('SIGINT');
        const served = await worker.finished;
        const said = [run.stdout, run.stderr, served.stdout, served.stderr];
        const out = join(place.folder, 'out');
        const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
        expect(files.length).toBeGreaterThan(10);
        for (const file of files) said.push(readFileSync(join(file.parentPath, file.name), 'latin1'));
        expect(said.filter((text) => text.includes('hunter2'))).toEqual([]);
        delete place.env.NETBOOT_FARM_PASSWORD;
        const denied = await farm.run([quick('a')]).finished;
        expect(denied.exitCode).toBe(3);
        expect(denied.stderr).toContain('Set NETBOOT_FARM_PASSWORD');
      },
      { redis: ['--requirepass', 'hunter2-hunter2'], env: { NETBOOT_FARM_PASSWORD: 'hunter2-hunter2' } },
    );
  });
});

describe.concurrent('a Redis that is started again', () => {
  it('with its append-only file: the run goes on', async () => {
    await onFarm(
      async (farm) => {
        const worker = farm.worker('one');
        const run = farm.run([waits('slow', 15_000), quick('a')]);
        await untilRunning(farm, ['one'], idOf('slow'));
        await farm.restart();
        const { exitCode, stdout, stderr } = await run.finished;
        expect(stdout).toContain('2 cases: 2 passed');
        expect(stderr).toContain('is lost');
        expect(exitCode).toBe(0);
        worker.kill('SIGINT');
        await worker.finished;
      },
      { redis: ['--appendonly', 'yes', '--appendfsync', 'always'] },
    );
  });

  it('without: what it lost is sent again, and said', async () => {
    await onFarm(async (farm) => {
      const { place } = farm;
      const worker = farm.worker('one', '--jobs', '1');
      const run = farm.run([waits('slow', 15_000), quick('a')]);
      await untilRunning(farm, ['one'], idOf('slow'));
      await farm.restart();
      const { exitCode, stdout } = await run.finished;
      expect(stdout).toContain('2 cases: 2 passed');
      expect(resultsIn(place).notes.join()).toMatch(/the farm's Redis lost \d cells, which were sent again/);
      expect(exitCode).toBe(0);
      worker.kill('SIGINT');
      await worker.finished;
    });
  });
});
