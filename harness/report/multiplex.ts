import type { Reporter } from '../model/reporter.ts';

export interface Multiplexed {
  reporter: Required<Reporter>;
  /** One line per hook that threw; a run with any has failed, however its boots went. */
  failures: readonly string[];
}

type Hook = keyof Reporter;

/**
 * Several reporters as one. Each gets its hooks one after another, and waits for no other reporter; one that
 * throws or rejects stops neither the others nor the run.
 */
export function multiplex(reporters: Readonly<Record<string, Reporter>>): Multiplexed {
  const failures: string[] = [];
  const queues = new Map(Object.keys(reporters).map((name) => [name, Promise.resolve()]));

  const call = async (name: string, hook: Hook, data: never): Promise<void> => {
    try {
      await (reporters[name]?.[hook] as ((data: never) => unknown) | undefined)?.call(reporters[name], data);
    } catch (error) {
      failures.push(`reporter ${name} failed in ${hook}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const forward =
    (hook: Hook) =>
    async (data: unknown): Promise<void> => {
      for (const [name, queue] of queues) {
        queues.set(
          name,
          queue.then(() => call(name, hook, data as never)),
        );
      }
      await Promise.all(queues.values());
    };

  const reporter: Required<Reporter> = {
    onRunStart: forward('onRunStart'),
    onCaseStart: forward('onCaseStart'),
    onStage: forward('onStage'),
    onCaseEnd: forward('onCaseEnd'),
    onRunEnd: forward('onRunEnd'),
  };
  return { reporter, failures };
}
