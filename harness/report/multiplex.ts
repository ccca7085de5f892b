import { forwarding, inTurn, type Reporter } from '../model/reporter.ts';

export interface Multiplexed {
  reporter: Required<Reporter>;
  /** One line per hook that threw; a run with any has failed, however its boots went. */
  failures: readonly string[];
}

/**
 * Several reporters as one. Each gets its hooks in sequence, without waiting for other reporters; one that throws or
 * rejects stops neither the others nor the run.
 */
export function multiplex(reporters: Readonly<Record<string, Reporter>>): Multiplexed {
  const failures: string[] = [];
  const all = Object.entries(reporters).map(([name, reporter]) =>
    inTurn(reporter, (error, hook) => {
      failures.push(`reporter ${name} failed in ${hook}: ${error instanceof Error ? error.message : String(error)}`);
    }),
  );
  const reporter = forwarding((hook) => async (data) => {
    await Promise.all(all.map((one) => one[hook](data)));
  });
  return { reporter, failures };
}
