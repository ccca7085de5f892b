import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../model/errors.ts';

const pauseMs = 5_000;
const pauses = 6;

/** Redis has reached its `maxmemory`: it answers, but takes nothing more (maxmemory-policy noeviction). */
const isFull = (error: unknown): boolean => /\bOOM\b/.test((error as Error).message);

export interface Waiting {
  say(line: string): void;
  signal: AbortSignal;
}

/**
 * Does what needs room in Redis; where there is none, again for half a minute, since results that are taken make room, or until `signal` aborts.
 * @throws HarnessError `farm-failed` if Redis stays full
 */
export async function withRoom<T>(act: () => Promise<T>, { say, signal }: Waiting): Promise<T> {
  for (let pause = 0; ; pause++) {
    try {
      return await act();
    } catch (error) {
      if (!isFull(error)) throw error;
      if (pause === 0) say(`the farm's Redis is full; waiting ${(pauses * pauseMs) / 1000} s for room`);
      if (pause === pauses || signal.aborted) {
        throw new HarnessError('farm-failed', `the farm's Redis is full: ${(error as Error).message}`, {
          hint: 'Raise its maxmemory, or give workers and submitters a folder that all of them see with --store.',
          cause: error,
        });
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
  }
}

/** Says what goes wrong again and again only once, until it has gone right. */
export function createTrouble(say: (line: string) => void) {
  let last: string | undefined;
  return {
    met(error: unknown): void {
      const text = isFull(error) ? "the farm's Redis is full, and takes nothing more" : (error as Error).message;
      if (text !== last) say(text);
      last = text;
    },
    over(): void {
      last = undefined;
    },
  };
}
export type Trouble = ReturnType<typeof createTrouble>;
