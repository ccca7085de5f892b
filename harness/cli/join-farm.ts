import { parseFarmAddress } from '../farm/address.ts';
import { connectFarm, partingMs } from '../farm/connect.ts';
import { openFolderStore } from '../farm/file-store.ts';
import { openRedisStore } from '../farm/redis-store.ts';
import { sealingFor } from '../farm/seal.ts';
import type { FarmOptions } from './farm-options.ts';
import { type CliIo, writeLines } from './io.ts';

/** What every command that uses a farm begins with. */
export async function joinFarm(farm: string, options: FarmOptions, io: CliIo) {
  const address = parseFarmAddress(farm);
  const sealing = sealingFor(address, options);
  const say = (line: string): void => writeLines(io.stderr, [line]);
  const redis = await connectFarm({ address, env: io.env, say });
  const part = (): void => void setTimeout(() => redis.status !== 'ready' && redis.disconnect(), partingMs).unref();
  io.signal.addEventListener('abort', part, { once: true });
  return {
    ...{ address, sealing, redis, say },
    store:
      options.store === undefined ? openRedisStore(redis, { say, signal: io.signal }) : openFolderStore(options.store),
    [Symbol.dispose]() {
      io.signal.removeEventListener('abort', part);
      // BullMQ's own connections cannot be ended while they are lost, and would keep the process.
      if (redis.status !== 'ready') setTimeout(() => process.exit(), partingMs).unref();
      redis.disconnect();
    },
  };
}
