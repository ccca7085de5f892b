import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FarmConnection } from '../../../harness/farm/connect.ts';
import { prefix } from '../../../harness/farm/keys.ts';
import { runResultSchema } from '../../../harness/model/verdict.ts';
import { compiled, openWorkplace, type Workplace } from '../cli.ts';
import { neverRuns } from '../never-runs.ts';
import { startRedis } from './redis.ts';

const boundMs = 120_000;

export const main = join(compiled, 'cli/main.js');

/** Ends within seconds. */
export const quick = (name: string) => ({
  name,
  arch: 'x86_64',
  firmware: 'seabios',
  nic: 'e1000',
  rom: 'none',
  expect: { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'there is no ROM' },
});
/** QEMU never lets this guest run. */
export const waits = (name: string, deadlineMs: number) => ({ ...quick(name), ...neverRuns(deadlineMs) });
export const idOf = (name: string) => `${name}.x86_64.pc.seabios.e1000.none`;

export interface Farm {
  place: Workplace;
  socket: string;
  redis: FarmConnection;
  restart(): Promise<void>;
  worker(name: string, ...args: string[]): ReturnType<Workplace['start']>;
  /** By a command in whose place it runs. */
  workerBy(command: [string, ...string[]], name: string, ...args: string[]): ReturnType<Workplace['start']>;
  run(groups: object[], ...args: string[]): ReturnType<Workplace['start']>;
}

interface FarmSetting {
  /** Of redis-server. */
  redis?: string[];
  /** Of all that joins. */
  env?: Record<string, string>;
  /** Where all but the test reach Redis, if not by its socket. */
  address?: string;
  /** Options of all that joins. */
  joining?: string[];
}

/** A Redis, a key, and a folder in which workers and runs are started. */
export async function onFarm(
  act: (farm: Farm) => Promise<void>,
  { redis: args = [], env = {}, address, joining: more = [] }: FarmSetting = {},
): Promise<void> {
  using place = openWorkplace();
  Object.assign(place.env, env);
  await using server = await startRedis(place.folder, { args, env });
  const redis = await server.connect();
  const key = join(place.folder, 'key');
  writeFileSync(key, 'k'.repeat(32), { mode: 0o600 });
  const joining = ['--farm', address ?? server.socket, '--farm-key', key, ...more];
  const workerArgs = (name: string, args: string[]) => [
    ...['worker', ...joining, '--name', name, '--jobs', '2', '--trust'],
    ...args,
  ];
  await act({
    ...{ place, redis, socket: server.socket, restart: server.restart },
    worker: (name, ...args) => place.start(main, ...workerArgs(name, args)),
    workerBy: (command, name, ...args) => place.startBy(command, main, ...workerArgs(name, args)),
    run(groups, ...args) {
      const matrix = place.write('matrix.json', { name: 'farmed', groups });
      const options = ['--matrix', matrix, '--trust', '--accel', 'tcg', '--out', 'out'];
      return place.start(main, 'run', ...options, ...joining, ...args);
    },
  });
}

export const resultsIn = ({ folder }: Workplace) =>
  runResultSchema.parse(JSON.parse(readFileSync(join(folder, 'out/results.json'), 'utf8')));
export const statuses = (place: Workplace) =>
  Object.fromEntries(resultsIn(place).cases.map(({ scenario, verdict }) => [scenario.group, verdict.status]));

/** What a worker is running, as it says itself. */
async function runningOn({ redis }: Farm, name: string): Promise<string[]> {
  const text = await redis.get(`${prefix}:worker:${name}`);
  if (text === null) return [];
  const { body } = JSON.parse(text) as { body: string };
  return (JSON.parse(body) as { running: { id: string }[] }).running.map(({ id }) => id);
}

/** Asks Redis again and again, until there is an answer. */
export async function untilAnswer<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = performance.now() + boundMs; ; await pause(100)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`${what} did not come within ${boundMs / 1000} s`);
  }
}

/** Workers say that they are there once they have looked at their machine. */
export async function untilThere({ redis }: Farm, ...names: string[]): Promise<void> {
  const all = names.map((name) => `${prefix}:worker:${name}`);
  await untilAnswer(`the workers ${names}`, async () => (await redis.exists(...all)) === all.length || undefined);
}

/** The name of the worker that runs it. */
export const untilRunning = (farm: Farm, names: readonly string[], id: string): Promise<string> =>
  untilAnswer(`${id} on a worker`, async () => {
    for (const name of names) if ((await runningOn(farm, name)).includes(id)) return name;
    return undefined;
  });

export const guests = (place: Workplace) => place.survivors().filter(({ command }) => command.includes('qemu-system'));
