import { setTimeout as sleep } from 'node:timers/promises';
import { type BackendFactory, createRedisBackend, type RedisQueueBackend } from 'bullmq';
import { Redis } from 'ioredis';
import { HarnessError } from '../model/errors.ts';
import type { FarmAddress } from './address.ts';

export interface ConnectOptions {
  address: FarmAddress;
  /** Has NETBOOT_FARM_USER and NETBOOT_FARM_PASSWORD, where Redis asks for them. */
  env: NodeJS.ProcessEnv;
  /** A line for the user: the connection is lost, or back. */
  say(line: string): void;
}

const connectTimeoutMs = 10_000;
const longestRetryMs = 2_000;

function unreachable({ text }: FarmAddress, cause: Error): HarnessError {
  const isDenied = /NOAUTH|WRONGPASS|NOPERM/.test(cause.message);
  return new HarnessError('farm-failed', `--farm ${text}: no Redis can be used there: ${cause.message}`, {
    hint: isDenied
      ? 'Set NETBOOT_FARM_PASSWORD, and NETBOOT_FARM_USER for a user other than the default one.'
      : 'Start redis-server or valkey-server there, and see that this machine can reach it.',
    cause,
  });
}

/** After an interruption a lost connection is not waited for longer than this. */
export const partingMs = 5_000;

/** Waits for what is done at the end, but not for a connection that does not come back; failures are not of interest then. */
export async function briefly(work: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const end = sleep(partingMs, undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([work.catch(() => {}), end]);
  over.abort();
}

/** A connection that is made again whenever it is lost; commands wait meanwhile. */
export type FarmConnection = Redis;

/** @throws HarnessError `farm-failed` if there is no Redis, or it lets nobody in */
export async function connectFarm({ address, env, say }: ConnectOptions): Promise<FarmConnection> {
  const { NETBOOT_FARM_USER: username, NETBOOT_FARM_PASSWORD: password } = env;
  let wasReady = false;
  const client = new Redis({
    ...address.server,
    db: address.db,
    ...(address.tls && { tls: {} }),
    ...(username && { username }),
    ...(password && { password }),
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    // BullMQ asks for it.
    maxRetriesPerRequest: null,
    retryStrategy: (times) => (wasReady ? Math.min(times * 100, longestRetryMs) : null),
  });
  // BullMQ has connections of its own, which would go on trying.
  const others = new Set<Redis>();
  const duplicate = client.duplicate.bind(client);
  client.duplicate = (...options) => {
    const other = duplicate(...options);
    others.add(other);
    return other;
  };
  client.once('end', () => {
    for (const other of others) other.disconnect();
  });
  let trouble: Error | undefined;
  let isLost = false;
  client.on('error', (error: Error) => {
    trouble = error;
    if (!wasReady || isLost) return;
    isLost = true;
    say(`the connection to ${address.text} is lost: ${error.message}`);
  });
  client.on('close', () => {
    if (!wasReady || isLost || client.status === 'end') return;
    isLost = true;
    say(`the connection to ${address.text} is lost`);
  });
  client.on('ready', () => {
    if (isLost) say(`connected to ${address.text} again`);
    isLost = false;
    wasReady = true;
  });
  try {
    await client.connect();
    await client.ping();
    return client;
  } catch (error) {
    client.disconnect();
    throw unreachable(address, trouble ?? (error as Error));
  }
}

/** For BullMQ's workers that never wait for a job: without it each opens a connection to wait on. */
export const onThisConnection: BackendFactory<RedisQueueBackend> = (name, options) => createRedisBackend(name, options);

/** Calls what is given for a channel with what is published there from now on, until disposed of; nothing is kept for later. */
export async function listen(
  redis: FarmConnection,
  hear: Readonly<Record<string, (text: string) => void>>,
): Promise<Disposable> {
  const ears = redis.duplicate();
  // The connection says so itself.
  ears.on('error', () => {});
  ears.on('message', (channel, text: string) => hear[channel]?.(text));
  try {
    await ears.connect();
    await ears.subscribe(...Object.keys(hear));
  } catch (error) {
    ears.disconnect();
    throw error;
  }
  return { [Symbol.dispose]: () => ears.disconnect() };
}
