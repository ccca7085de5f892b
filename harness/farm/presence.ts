import type { z } from 'zod';
import type { FarmConnection } from './connect.ts';
import { keys, runGoneMs, workerGoneMs } from './keys.ts';
import { type FarmRun, farmRunSchema, type Presence, presenceSchema } from './messages.ts';
import { heard, type MessageKind, type Sealing } from './seal.ts';

interface Kind<T> {
  kind: MessageKind;
  schema: z.ZodType<T>;
  ids: string;
  keyOf(id: string): string;
  goneMs: number;
  idOf(value: T): string;
}

const workerKind: Kind<Presence> = {
  kind: 'worker',
  schema: presenceSchema,
  ids: keys.workers,
  keyOf: keys.worker,
  goneMs: workerGoneMs,
  idOf: ({ offer }) => offer.worker,
};
const runKind: Kind<FarmRun> = {
  kind: 'run',
  schema: farmRunSchema,
  ids: keys.runs,
  keyOf: keys.run,
  goneMs: runGoneMs,
  idOf: ({ run }) => run,
};

/** Who is on the farm: said again every few seconds, and forgotten when it is not. */
export interface Board {
  say(presence: Presence): Promise<void>;
  sayRun(run: FarmRun): Promise<void>;
  workers(): Promise<Presence[]>;
  runs(): Promise<FarmRun[]>;
  leave(worker: string): Promise<void>;
  leaveRun(run: string): Promise<void>;
}

export function openBoard(redis: FarmConnection, sealing: Sealing): Board {
  async function put<T>(of: Kind<T>, value: T): Promise<void> {
    const id = of.idOf(value);
    await redis.set(of.keyOf(id), sealing.seal(of.kind, value), 'PX', of.goneMs);
    await redis.sadd(of.ids, id);
  }

  async function all<T>(of: Kind<T>): Promise<T[]> {
    const ids = await redis.smembers(of.ids);
    if (ids.length === 0) return [];
    const texts = await redis.mget(ids.map(of.keyOf));
    const gone = ids.filter((_, nth) => texts[nth] === null);
    if (gone.length > 0) await redis.srem(of.ids, ...gone);
    return texts.flatMap((text, nth) => {
      if (text === null) return [];
      const value = heard(sealing, of.kind, text, of.schema);
      return value !== undefined && of.idOf(value) === ids[nth] ? [value] : [];
    });
  }

  async function remove<T>(of: Kind<T>, id: string): Promise<void> {
    await redis.unlink(of.keyOf(id));
    await redis.srem(of.ids, id);
  }

  return {
    say: (presence) => put(workerKind, presence),
    sayRun: (run) => put(runKind, run),
    workers: () => all(workerKind),
    runs: () => all(runKind),
    leave: (worker) => remove(workerKind, worker),
    leaveRun: (run) => remove(runKind, run),
  };
}
