// A Redis that is ours alone: on a Unix socket, in a folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { parseFarmAddress } from '../../.build/harness/farm/address.js';
import { connectFarm } from '../../.build/harness/farm/connect.js';
import { SetUpError } from '../setup/checkout.mjs';

const pollMs = 100;
const startsWithinMs = 30_000;

/** The redis-server of the set-up, or of this machine. */
export async function redisCommand() {
  const { sets } = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const found = await sets.command('redis-server');
  if ('missing' in found) throw new SetUpError(`${found.missing}; npm run setup fetches it`, 3);
  return found;
}

/** Spawns it; `more` are options of redis-server. */
export function spawnRedis(found, { folder, socket, stdio, more = [] }) {
  mkdirSync(folder, { recursive: true });
  const args = ['--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', ...more];
  return spawn(found.path, args, { env: { ...process.env, ...found.env }, stdio });
}

/** A connection, as soon as there is one. */
export async function connectSoon(socket) {
  const address = parseFarmAddress(socket);
  for (const end = performance.now() + startsWithinMs; ; await pause(pollMs)) {
    try {
      return await connectFarm({ address, env: {}, say: () => {} });
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** Starts one, and connects to it; both end with `stop`. */
export async function startOwnRedis(folder, { stdio, more } = {}) {
  const socket = join(folder, 'redis.sock');
  const child = spawnRedis(await redisCommand(), { folder: join(folder, 'redis'), socket, stdio, more });
  const redis = await connectSoon(socket);
  return {
    ...{ socket, redis },
    async stop() {
      redis.disconnect();
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** What Redis says of itself (INFO), as numbers where it is one. */
export async function infoOf(redis) {
  const lines = (await redis.info()).split('\r\n').filter((line) => /^\w+:/.test(line));
  return Object.fromEntries(
    lines.map((line) => {
      const [name, value] = [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)];
      return [name, Number.isNaN(Number(value)) ? value : Number(value)];
    }),
  );
}
