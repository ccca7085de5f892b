import type { Configuration } from '../../model/axes.ts';
import type { HarnessEvent } from '../../model/events.ts';
import type { Input } from '../../model/plan.ts';
import type { Axis } from '../../model/scenario.ts';
import type { Stage } from '../../model/stages.ts';
import type { Failure, RunResult, StageResult, Status } from '../../model/verdict.ts';

/**
 * What report.html holds: `Overview`, decoded as the page opens, and a `CaseRecord` per case, decoded when it is looked
 * at. All of it is text of guests, matrices and file names: the page shows it as text and never as HTML.
 */
export interface Overview {
  version: 1;
  matrix: string;
  startedAt: string;
  host: RunResult['host'];
  totals: RunResult['totals'];
  /** Totals and cost as the other reports say them. */
  totalsLine: string;
  costLine: string;
  notes: string[];
  /** Columns of the page's tables and its filters, in order. */
  axes: Axis[];
  cases: CaseSummary[];
  /** What each stage claims. */
  stageMeanings: Record<Stage, string>;
  configurationMeanings: Record<Configuration, string>;
  /** With an earlier run, or of the run's sets. */
  comparisons: RunComparison[];
}

export interface CaseSummary {
  id: string;
  group: string;
  title: string | null;
  axes: Record<Axis, string>;
  status: Status;
  lastStage: Stage | null;
  stoppedAt: Stage | null;
  /** The failure rule that ended it, where one did. */
  rule: string | null;
  /** What was expected, in words. */
  expected: string;
  diagnosis: string | null;
  /** Those that were begun, of a case with several. */
  boots: { name: string; status: Status }[];
  findings: string[];
  /** The six configurations: as the matrix says, as inspection of the files says, as the boot showed. */
  declared: Configuration | null;
  predicted: Configuration | null;
  observed: Configuration | null;
  /** Configuration 1, with iPXE's ROM where a vendor's would be. */
  standIn: boolean;
  durationMs: number;
  guestCpuMs: number;
  /** A `CaseRecord` is in the page. */
  hasRecord: boolean;
}

/** What changed, worst first. */
export interface RunComparison {
  title: string;
  /** Cells on both sides. */
  joined: number;
  classes: {
    name: string;
    meaning: string;
    /** What sets the cells of this class apart from all others. */
    common: string | null;
    /** Each cell, and what became of it in a line. */
    changes: { id: string; text: string }[];
  }[];
  notes: string[];
}

export interface CaseRecord {
  inputs: Input[];
  /** The command that runs the case again. */
  repro: string;
  /** QEMU's command line without the harness, for a person to run. */
  plainQemu: string | null;
  attempts: AttemptRecord[];
}

/** What one guest left behind. */
export interface AttemptRecord {
  /** Relative to the run's directory. */
  directory: string;
  status: Status;
  accel: string | null;
  /** When it started, by the host's clock (ISO 8601). */
  startedAt: string | null;
  durationMs: number;
  stages: StageResult[];
  failure: Failure | null;
  diagnosis: string | null;
  findings: string[];
  console: ConsoleChunk[];
  /** Bytes of the serial port that were left out of the middle of `console`. */
  consoleBytesLeftOut: number;
  /** Everything but console lines, in order. */
  events: RecordedEvent[];
  eventsLeftOut: number;
}

/** Text of the serial port as it came, control sequences and all: milliseconds since the start, and what was new. */
export type ConsoleChunk = [tMs: number, text: string];

export type RecordedEvent = Exclude<HarnessEvent, { source: 'serial' }>;
