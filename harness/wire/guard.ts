import type { EventSink } from '../model/events.ts';

/**
 * Wraps a callback that a guest's traffic can reach: of a stream, a timer, a server. A fault in it, or in its promise,
 * ends this case as an error of the harness and touches no other case. `where` names it, as in "a TFTP timer".
 */
export type Guard = <A extends unknown[]>(where: string, act: (...args: A) => unknown) => (...args: A) => void;

/** What was thrown and where in the code, on one line, for a bug report. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\n\s+at (.*)/.exec(error.stack ?? '')?.[1];
  return place === undefined ? `${error}` : `${error} at ${place}`;
}

export function createGuard(emit: EventSink): Guard {
  let faulted = false;

  function fault(where: string, error: unknown): void {
    if (faulted) return;
    faulted = true;
    const message = `${where} failed: ${describe(error)}`;
    emit({ source: 'run', type: 'infrastructure', code: 'internal', message, retryable: true });
  }

  return (where, act) =>
    (...args) => {
      try {
        const result = act(...args);
        if (result instanceof Promise) result.catch((error: unknown) => fault(where, error));
      } catch (error) {
        fault(where, error);
      }
    };
}
