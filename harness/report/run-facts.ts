import { join, relative } from 'node:path';
import { type Expectation, expectedFailureText, expectedFindings } from '../model/expectation.ts';
import { reachOf } from '../model/reach.ts';
import { shellWord } from '../model/shell-word.ts';
import type { Stage } from '../model/stages.ts';
import { seconds } from '../model/time-text.ts';
import { type CaseResult, isReused, type RunResult, type Status, statuses } from '../model/verdict.ts';
import { printable } from './printable.ts';

export const statusWords: Record<Status, string> = {
  passed: 'passed',
  failed: 'failed',
  flaky: 'flaky',
  error: 'error',
  'not-run': 'not run',
  waiting: 'waiting',
  interrupted: 'interrupted',
};

/** Statuses that mean trouble; `not-run` is reported separately, with reasons. */
export const troubleStatuses: readonly Status[] = ['failed', 'flaky', 'error', 'interrupted'];

/** `1 case`, `41 cases`. */
const caseCount = (count: number): string => `${count} ${count === 1 ? 'case' : 'cases'}`;

/** `default: 41 cases into results`. */
export function openingLine({ matrix, total, outDir }: { matrix: string; total: number; outDir: string }): string {
  return `${printable(matrix)}: ${caseCount(total)} into ${outDir}`;
}

/** `41 cases: 38 passed, 1 failed, 2 not run`. */
export function totalsLine({ totals }: RunResult): string {
  const count = statuses.reduce((sum, status) => sum + totals[status], 0);
  const counts = statuses
    .filter((status) => totals[status] > 0)
    .map((status) => `${totals[status]} ${statusWords[status]}`);
  return `${caseCount(count)}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}`;
}

/** How well the host was used: wall time against guest CPU time per core, and the longest boot. */
export function costLine({ cases, wallMs, guestCpuMs, harnessCpuMs, host }: RunResult): string {
  const perCoreMs = guestCpuMs / host.cores;
  const longest = Math.max(0, ...cases.map((one) => (isReused(one) ? 0 : one.run.durationMs)));
  return [
    `wall ${seconds(wallMs)}`,
    `guests ${seconds(guestCpuMs)} CPU ÷ ${host.cores} cores = ${seconds(perCoreMs)}`,
    ...(perCoreMs > 0 ? [`ratio ${(wallMs / perCoreMs).toFixed(2)}`] : []),
    `longest boot ${seconds(longest)}`,
    `harness ${seconds(harnessCpuMs)} CPU`,
  ].join(' · ');
}

export interface NotRunReason {
  reason: string;
  ids: string[];
}

/** Reasons for which cases were not run, or wait, each once, most frequent first. */
export function notRunReasons({ cases }: RunResult, status: 'not-run' | 'waiting'): NotRunReason[] {
  const byReason = new Map<string, string[]>();
  for (const { verdict, id } of cases) {
    if (verdict.status !== status) continue;
    const reason = verdict.diagnosis ?? 'no reason was recorded';
    byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  }
  return [...byReason].map(([reason, ids]) => ({ reason, ids })).sort((a, b) => b.ids.length - a.ids.length);
}

export function expectationText(expected: Expectation): string {
  const findings = expectedFindings(expected);
  const found = findings.length === 0 ? '' : `; found about the server: ${findings.join(', ')}`;
  if ('reaches' in expected) return `reaches its last stage${found}`;
  if ('notApplicable' in expected) return `not applicable: ${expected.notApplicable}`;
  const failure = expected.failure.map(expectedFailureText).join(' or ');
  const reference = expected.reference === undefined ? '' : ` (${expected.reference})`;
  const until = expected.until === undefined ? '' : `, accepted until ${expected.until}`;
  return `stops at ${expected.stopsAt} with ${failure}: ${expected.reason}${reference}${until}${found}`;
}

/** How the program was started, for commands that run something again. */
export interface Invocation {
  /** The shell command that starts this program. */
  command: string;
  /** Folders given with `--set`. */
  setDirs: readonly string[];
  /** Where the command is going to be typed; undefined: anywhere. */
  cwd?: string | undefined;
}

/** A run, and how it was started. */
export interface RunPlace extends Invocation {
  /** The run's directory. */
  outDir: string;
}

/** A path as short as it can be named from where the command is typed. */
export function seenFrom(cwd: string | undefined, path: string): string {
  const below = cwd === undefined ? path : relative(cwd, path);
  return below === '' || below.startsWith('..') ? path : below;
}

/** The command that runs this case again with the same inputs; if none was started, the one that resumes the run. */
export function reproCommand({ scenario, run }: CaseResult, { command, setDirs, cwd, outDir }: RunPlace): string {
  const { directory } = run;
  const path = seenFrom(cwd, join(outDir, directory ?? ''));
  const target = directory === null ? ['run', '--resume', path] : ['repro', path];
  const options = [
    ...setDirs.flatMap((folder) => ['--set', seenFrom(cwd, folder)]),
    ...(reachOf(scenario).length > 0 ? ['--trust'] : []),
  ];
  return [command, ...[...target, ...options].map(shellWord)].join(' ');
}

/** The basis of a verdict, in a line: why it stopped, or the evidence of its last stage. */
export function evidenceLine({ verdict }: CaseResult): string {
  const { stages, lastStage, stoppedAt, failure, diagnosis } = verdict;
  if (stoppedAt !== null || lastStage === null) return diagnosis ?? failure?.text ?? '';
  const of = (wanted: Stage) => stages.find(({ stage }) => stage === wanted)?.evidence ?? '';
  // The DHCP client identifies the configuration; the last stage proves the end.
  return [of('dhcp'), of(lastStage)].filter(Boolean).join('; ');
}
