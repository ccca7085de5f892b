import type { Expansion } from '../matrix/expand-matrix.ts';
import { expandOnHost } from '../matrix/expand-on-host.ts';
import type { MatrixInput } from '../matrix/matrix.ts';
import { parseMatrix } from '../matrix/parse-matrix.ts';
import type { Reporter } from '../model/reporter.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult } from '../model/verdict.ts';
import { cacheFolder } from '../os/cache-folder.ts';
import { multiplex } from '../report/multiplex.ts';
import { fileReporter } from '../report/report-files.ts';
import { type HostWithSets, openHostWithSets } from '../run/open-host.ts';
import { runRecords } from '../run/records/run-records.ts';
import { type RunOptions, runMatrix } from '../run/run-matrix.ts';

/** How cases are booted. */
export interface BootOptions {
  /** Artefact sets for groups that name none: known names, or folders with a set.json or a build. */
  sets?: readonly string[];
  /** Where the records and reports go: a new folder; default: `.runs/<time>` in the current folder. */
  out?: string;
  /** Guests at once; default: as many as the host carries. */
  jobs?: number;
  accel?: RunOptions['accel'];
  /** Holds the artefact sets; default: as for the command line. */
  cacheDir?: string;
}

export interface Opened {
  readonly host: HostWithSets;
  readonly expansion: Expansion;
}

/** Parses and expands a matrix for this host. Rejects with HarnessError `bad-matrix` or `bad-set`. */
export async function openMatrix(input: MatrixInput, { sets = [], cacheDir }: BootOptions): Promise<Opened> {
  const matrix = parseMatrix(input, input.name);
  const host = await openHostWithSets(sets, { cacheDir: cacheDir ?? cacheFolder(process.env) });
  const expansion = await expandOnHost(matrix, { source: input.name, sets: host.chosenSets }, host.answers);
  return { host, expansion };
}

export interface Finished {
  readonly result: CaseResult;
  /** The run's directory. */
  readonly outDir: string;
}

/** Cases that are running; each can be awaited by itself. */
export interface TestRun {
  resultOf(id: string): Promise<Finished>;
  /** Ends guests that still run, and resolves once all records are complete. */
  end(): Promise<void>;
}

interface Awaited {
  readonly finished: Promise<Finished>;
  settle(finished: Finished): void;
  fail(error: unknown): void;
}

function awaited(): Awaited {
  let settle: Awaited['settle'] = () => {};
  let fail: Awaited['fail'] = () => {};
  const finished = new Promise<Finished>((resolve, reject) => {
    settle = resolve;
    fail = reject;
  });
  // A failure that no test waits for is reported by those that do.
  finished.catch(() => {});
  return { finished, settle, fail };
}

/** Starts cells as `netboot run` does, with its scheduler and reports. */
export function startTestRun(
  { host, cells, matrixName }: { host: HostWithSets; cells: readonly Scenario[]; matrixName: string },
  { out, jobs, accel = 'auto' }: BootOptions,
): TestRun {
  const ending = new AbortController();
  const cases = new Map(cells.map(({ id }) => [id, awaited()]));
  let outDir = '';
  const followed: Reporter = {
    onRunStart(run) {
      ({ outDir } = run);
    },
    onCaseEnd: (result) => cases.get(result.id)?.settle({ result, outDir }),
  };
  const files = fileReporter({
    invocation: { command: 'npx netboot', setDirs: host.setDirs },
    env: process.env,
    recordsOf: runRecords,
  });
  const { reporter, failures } = multiplex({ followed, files });
  const run = runMatrix({
    ...host,
    matrixName,
    cells,
    outDir: out,
    jobs,
    accel,
    repeat: 1,
    reporter,
    signal: ending.signal,
  }).then(
    () => {
      if (failures.length > 0) throw new Error(failures.join('\n'));
    },
    (error: unknown) => {
      for (const { fail } of cases.values()) fail(error);
    },
  );
  // Reported by `end`.
  run.catch(() => {});
  return {
    async resultOf(id) {
      const found = cases.get(id);
      if (found === undefined) throw new Error(`no case ${id} in this run`);
      return found.finished;
    },
    async end() {
      ending.abort();
      await run;
    },
  };
}
