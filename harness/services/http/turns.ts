import type { Socket } from 'node:net';
import { tableBounds } from '../../model/bounds.ts';

/**
 * Has the requests of one connection take turns. A client may send many at once (RFC 9112 §9.3.2); each that is worked on
 * holds pieces of its file, although the answers can leave only one after the other.
 */
export function createTurns() {
  const queues = new WeakMap<Socket, { waiting: number; last: Promise<void> }>();

  return {
    /** Runs `act` when its turn has come; undefined where too many wait already. */
    take(socket: Socket, act: () => Promise<void>): Promise<void> | undefined {
      const queue = queues.get(socket) ?? { waiting: 0, last: Promise.resolve() };
      queues.set(socket, queue);
      if (queue.waiting >= tableBounds.pipelinedRequests) return undefined;
      queue.waiting++;
      const done = queue.last.then(act).finally(() => queue.waiting--);
      // The next comes also after one that failed.
      queue.last = done.catch(() => {});
      return done;
    },
  };
}
