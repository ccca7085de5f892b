import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { FarmConnection } from '../../../harness/farm/connect.ts';
import { prefix, resultQueue } from '../../../harness/farm/keys.ts';
import { openSealing } from '../../../harness/farm/seal.ts';
import { runResultSchema } from '../../../harness/model/verdict.ts';
import { compile, compiled, openWorkplace, until, type Workplace } from '../cli.ts';
import { startRedis } from './redis.ts';

beforeAll(compile, 120_000);

const main = join(compiled, 'cli/main.js');
const day = 86_400_000;

/** Ends within seconds. */
const quick = (name: string) => ({
  name,
  arch: 'x86_64',
  firmware: 'seabios',
  nic: 'e1000',
  rom: 'none',
  expect: { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'there is no ROM' },
});
/** QEMU never lets this guest run. */
const waits = (name: string, deadlineMs: number) => ({
  ...quick(name),
  qemuArgs: ['-S'],
  deadlines: { stageMs: { firmware: deadlineMs }, totalMs: day },
  expect: {
    stopsAt: 'firmware',
    failure: { rule: 'deadline', says: '^no firmware stage within' },
    reason: 'QEMU does not let it run',
  },
});
const idOf = (name: string) => `${name}.x86_64.pc.seabios.e1000.none`;

interface Farm {
  place: Workplace;
  socket: string;
  redis: FarmConnection;
  restart(): Promise<void>;
  worker(name: string, ...args: string[]): ReturnType<Workplace['start']>;
  run(groups: object[], ...args: string[]): ReturnType<Workplace['start']>;
}

/** A Redis, a key, and a folder in which workers and runs are started. */
async function onFarm(act: (farm: Farm) => Promise<void>, ...redisArgs: string[]): Promise<void> {
  using place = openWorkplace();
  await using server = await startRedis(place.folder, ...redisArgs);
  const redis = await server.connect();
  const key = join(place.folder, 'key');
  writeFileSync(key, 'k'.repeat(32), { mode: 0o600 });
  const joining = ['--farm', server.socket, '--farm-key', key];
  await act({
    ...{ place, redis, socket: server.socket, restart: server.restart },
    worker: (name, ...args) =>
      place.start(main, 'worker', ...joining, '--name', name, '--jobs', '2', '--trust', ...args),
    run(groups, ...args) {
      const matrix = place.write('matrix.json', { name: 'farmed', groups });
      return place.start(
        main,
        'run',
        '--matrix',
        matrix,
        '--trust',
        '--accel',
        'tcg',
        '--out',
        'out',
        ...joining,
        ...args,
      );
    },
  });
}

const resultsIn = ({ folder }: Workplace) =>
  runResultSchema.parse(JSON.parse(readFileSync(join(folder, 'out/results.json'), 'utf8')));
const statuses = (place: Workplace) =>
  Object.fromEntries(resultsIn(place).cases.map(({ scenario, verdict }) => [scenario.group, verdict.status]));

/** What a worker is running, as it says itself. */
async function runningOn({ redis }: Farm, name: string): Promise<string[]> {
  const text = await redis.get(`${prefix}:worker:${name}`);
  if (text === null) return [];
  const { body } = JSON.parse(text) as { body: string };
  return (JSON.parse(body) as { running: { id: string }[] }).running.map(({ id }) => id);
}

/** Workers say that they are there once they have looked at their machine. */
async function untilThere({ redis }: Farm, ...names: string[]): Promise<void> {
  let there = 0;
  const look = async () => {
    there = await redis.exists(...names.map((name) => `${prefix}:worker:${name}`));
  };
  await until(
    `the workers ${names}`,
    () => {
      void look();
      return there === names.length;
    },
    60_000,
  );
}

async function untilRunning(farm: Farm, names: readonly string[], id: string): Promise<string> {
  let found: string | undefined;
  const look = async () => {
    for (const name of names) if ((await runningOn(farm, name)).includes(id)) found = name;
  };
  return until(
    `${id} on a worker`,
    () => {
      void look();
      return found;
    },
    60_000,
  );
}

/** The queue of the only cells of the only run. */
async function untilQueue({ redis }: Farm): Promise<string> {
  let queue: string | undefined;
  const look = async () => {
    const all = await redis.keys(`${prefix}:*.*:prioritized`);
    queue = all.map((key) => key.split(':')[1] as string)[0];
  };
  return until(
    'the queue',
    () => {
      void look();
      return queue;
    },
    60_000,
  );
}

/** Takes a cell as soon as there is one. */
async function untilTaken(taker: Worker, token: string): Promise<void> {
  for (const end = performance.now() + 60_000; ; ) {
    if (await taker.getNextJob(token, { block: false })) return;
    if (performance.now() > end) throw new Error('the cell did not come back');
    await pause(100);
  }
}

const guests = (place: Workplace) => place.survivors().filter(({ command }) => command.includes('qemu-system'));

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

  it('drops a second result of a cell, and says so', async () => {
    await onFarm(async (farm) => {
      const { place, redis } = farm;
      const worker = farm.worker('one');
      const run = farm.run([waits('slow', 15_000), quick('a')]);
      const id = idOf('a');
      await until('the first result', () => existsSync(join(place.folder, 'out/cases', id, 'result.json')), 60_000);
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
        vi.stubEnv('NETBOOT_FARM_PASSWORD', 'hunter2-hunter2');
        const worker = farm.worker('one');
        const run = await farm.run([quick('a')]).finished;
        expect(run.exitCode).toBe(0);
        worker.kill('SIGINT');
        const served = await worker.finished;
        vi.unstubAllEnvs();
        const said = [run.stdout, run.stderr, served.stdout, served.stderr];
        const out = join(place.folder, 'out');
        const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
        expect(files.length).toBeGreaterThan(10);
        for (const file of files) said.push(readFileSync(join(file.parentPath, file.name), 'latin1'));
        expect(said.filter((text) => text.includes('hunter2'))).toEqual([]);
        const denied = await farm.run([quick('a')]).finished;
        expect(denied.exitCode).toBe(3);
        expect(denied.stderr).toContain('Set NETBOOT_FARM_PASSWORD');
      },
      '--requirepass',
      'hunter2-hunter2',
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
      '--appendonly',
      'yes',
      '--appendfsync',
      'always',
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
