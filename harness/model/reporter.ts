import type { Stage } from './stages.ts';
import type { CaseResult, RunResult } from './verdict.ts';

/** How long a case is expected to take, and how much CPU time its guest. */
export interface ExpectedLength {
  durationMs: number;
  guestCpuMs: number;
}

/** A run is about to start: `total` cases into `outDir` (absolute). */
export interface RunStart {
  matrix: string;
  outDir: string;
  total: number;
  /** By the ids of the cases that are going to be booted. */
  expected?: Readonly<Record<string, ExpectedLength>>;
  /** CPUs for the guests. */
  cores?: number;
  /** Guests at once; undefined: as many as the host carries. */
  jobs?: number | undefined;
}

export interface CaseStart {
  id: string;
  /** 1 for the first; a guest failure is rerun once as attempt 2. */
  attempt: number;
}

/** A stage was reached while the case still runs; the verdict decides later. */
export interface StageReached {
  id: string;
  stage: Stage;
  atMs: number;
}

/** Follows a run. Every hook is optional and gets plain data; hooks of one reporter never overlap. */
export interface Reporter {
  onRunStart?(run: RunStart): void | Promise<void>;
  onCaseStart?(started: CaseStart): void | Promise<void>;
  onStage?(reached: StageReached): void | Promise<void>;
  /** Once per case, after its last attempt; also for cases not run. */
  onCaseEnd?(result: CaseResult): void | Promise<void>;
  onRunEnd?(result: RunResult): void | Promise<void>;
}

type Hook = keyof Reporter;

/** A reporter whose hooks all forward what they get. */
export function forwarding(forward: (hook: Hook) => (data: never) => Promise<void>): Required<Reporter> {
  return {
    onRunStart: forward('onRunStart'),
    onCaseStart: forward('onCaseStart'),
    onStage: forward('onStage'),
    onCaseEnd: forward('onCaseEnd'),
    onRunEnd: forward('onRunEnd'),
  };
}

/**
 * The same reporter with hooks that run one after another, even where not awaited, and never reject: what one throws goes
 * to `onFailure`.
 */
export function inTurn(reporter: Reporter, onFailure: (error: unknown, hook: Hook) => void): Required<Reporter> {
  let queue = Promise.resolve();
  return forwarding((hook) => (data) => {
    queue = queue.then(() => reporter[hook]?.(data)).catch((error: unknown) => onFailure(error, hook));
    return queue;
  });
}

/** Passes a finished run through a reporter: the cases in their order, and the end. */
export async function replayRun(result: RunResult, outDir: string, reporter: Required<Reporter>): Promise<void> {
  const { matrix, cases } = result;
  await reporter.onRunStart({ matrix, outDir, total: cases.length });
  for (const one of cases) await reporter.onCaseEnd(one);
  await reporter.onRunEnd(result);
}
