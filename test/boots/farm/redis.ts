import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from '../../../harness/assets/sets/commands.ts';
import { connectFarm, type FarmConnection } from '../../../harness/farm/connect.ts';
import { cacheFolder } from '../../../harness/os/cache-folder.ts';
import { until } from '../cli.ts';

/** A Redis of the test's own, on a Unix socket. */
export interface OwnRedis extends AsyncDisposable {
  socket: string;
  connect(): Promise<FarmConnection>;
  /** Ends it at once, and starts it again on the same folder. */
  restart(): Promise<void>;
}

/** `env` has user and password, where it asks for them. */
export async function startRedis(
  folder: string,
  { args = [], env = {} }: { args?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<OwnRedis> {
  const found = await findCommand('redis-server', { cacheDir: cacheFolder(process.env), env: {} });
  if ('missing' in found) throw new Error(`${found.missing}; npm run setup fetches it`);
  const data = join(folder, 'redis');
  mkdirSync(data, { recursive: true });
  const socket = join(folder, 'redis.sock');
  const connections = new Set<FarmConnection>();

  const begin = async () => {
    const own = ['--port', '0', '--unixsocket', socket, '--dir', data, '--save', '', '--loglevel', 'warning'];
    const child = spawn(found.path, [...own, ...args], { env: { ...process.env, ...found.env }, stdio: 'ignore' });
    await once(child, 'spawn');
    return child;
  };
  const end = async (child: Awaited<ReturnType<typeof begin>>) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };

  const connect = async () => {
    const address = { server: { path: socket }, tls: false, db: 0, text: socket, isLocal: true };
    const redis = await connectFarm({ address, env, say: () => {} });
    connections.add(redis);
    return redis;
  };
  const answers = async () => {
    let isUp = false;
    const ask = () =>
      connect().then(
        (redis) => {
          isUp = true;
          redis.disconnect();
        },
        () => {},
      );
    void ask();
    await until('Redis', () => {
      if (!isUp) void ask();
      return isUp;
    });
  };

  let child = await begin();
  await answers();
  return {
    socket,
    connect,
    async restart() {
      await end(child);
      child = await begin();
      await answers();
    },
    async [Symbol.asyncDispose]() {
      for (const redis of connections) redis.disconnect();
      await end(child);
    },
  };
}
