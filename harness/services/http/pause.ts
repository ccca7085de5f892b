import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';

/** Resolves after so long, or when the connection is closed, and leaves no timer behind. */
export function pause(response: ServerResponse, { setTimer }: Clock, ms: number): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const over = () => {
      response.off('close', stop);
      resolve();
    };
    const stop = () => {
      cancel();
      over();
    };
    response.once('close', stop);
    const cancel = setTimer(over, ms);
  });
}
