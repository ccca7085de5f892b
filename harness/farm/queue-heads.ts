import type { FarmConnection } from './connect.ts';
import { prefix } from './keys.ts';

const keyOf = (queue: string, part: string): string => `${prefix}:${queue}:${part}`;

/**
 * Which of these queues have a cell waiting, and the priority of the first one in each: 0 for one that a lost worker left.
 * Two round trips for all, where BullMQ's own getters take one each; one command where nothing waits, as for idle workers.
 */
export async function queueHeads(redis: FarmConnection, queues: readonly string[]): Promise<Map<string, number>> {
  const all = queues.flatMap((queue) => [keyOf(queue, 'wait'), keyOf(queue, 'prioritized')]);
  // An empty list or set is no key.
  if ((await redis.exists(...all)) === 0) return new Map();
  const pipeline = redis.pipeline();
  for (const queue of queues) {
    pipeline.llen(keyOf(queue, 'wait'));
    pipeline.zrange(keyOf(queue, 'prioritized'), '0', '0', 'WITHSCORES');
  }
  const answers = (await pipeline.exec()) ?? [];
  const heads = new Map<string, number>();
  for (const [nth, queue] of queues.entries()) {
    const [waiting, first] = [answers[2 * nth]?.[1], answers[2 * nth + 1]?.[1]];
    if (typeof waiting === 'number' && waiting > 0) heads.set(queue, 0);
    // BullMQ's score is the priority and a counter (addPrioritizedJob).
    else if (Array.isArray(first) && first.length === 2) heads.set(queue, Number(first[1]) / 2 ** 32);
  }
  return heads;
}
