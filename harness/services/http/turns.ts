import type { Socket } from 'node:net';
import { tableBounds } from '../../model/bounds.ts';

/**
 * Serialises the requests of one connection. A client may pipeline many (RFC 9112 §9.3.2); served at once, each would
 * hold pieces of its file, although the responses can only leave in order.
 */
export function createTurns() {
  const queues = new WeakMap<Socket, { waiting: number; last: Promise<void> }>();

  return {
    /** Runs `act` when its turn has come; undefined if too many are waiting. */
    take(socket: Socket, act: () => Promise<void>): Promise<void> | undefined {
      const queue = queues.get(socket) ?? { waiting: 0, last: Promise.resolve() };
      queues.set(socket, queue);
      if (queue.waiting >= tableBounds.pipelinedRequests) return undefined;
      queue.waiting++;
      const done = queue.last.then(act).finally(() => queue.waiting--);
      // A failed one must not block the next.
      queue.last = done.catch(() => {});
      return done;
    },
  };
}
