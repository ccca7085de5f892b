import type { CaseResult } from '../model/verdict.ts';
import type { CaseRun } from './run-case.ts';

/** A case to run on another machine. */
export interface HandedCase {
  run: CaseRun;
  /** How long it is expected to take: long cases start first. */
  lengthMs: number;
  /** Others of these cases start as it does: a template of its machine pays. */
  sharesStart: boolean;
  /** Reports its result; the records are in the directory of the run by then. */
  finish(result: CaseResult): Promise<void>;
}

/** Machines that run the cases of a run in place of this one. */
export interface Elsewhere {
  /** CPUs of those machines. */
  cores: number;
  /** Resolves to remarks on the run once every case has finished, or `signal` aborted and none is running. */
  run(cases: readonly HandedCase[], signal: AbortSignal): Promise<string[]>;
}
