import { type Stage, stages } from '../model/stages.ts';
import type { CaseResult, Verdict } from '../model/verdict.ts';

/** What a guest did, regardless of expectations. */
export type Outcome =
  | { kind: 'boots' }
  /** `rule` and `words`: of the failure that ended it; null if there was none. */
  | { kind: 'stops'; at: Stage; rule: string | null; words: string | null }
  /** It did not behave the same way each time. */
  | { kind: 'varies' }
  | { kind: 'unknown'; why: string };

/** Parts of a console line that differ from boot to boot: times, memory addresses, nonces of 12 hex digits. */
const passing = /\d+\.\d+|0x[0-9a-f]{5,}|\b[0-9a-f]{12}\b/gi;
/** What a deadline says of a busy host. */
const byTheClock = / in which the guest could run \([^)]*\)/;

/** What a failure says, without what differs from boot to boot. */
export const withoutPassing = (text: string): string =>
  text.replace(byTheClock, '').replace(passing, '…').replace(/\s+/g, ' ').trim();

function outcomeOfVerdict({ status, stoppedAt, failure, diagnosis }: Verdict): Outcome {
  if (status === 'flaky') return { kind: 'varies' };
  if (['not-run', 'waiting', 'error', 'interrupted'].includes(status)) {
    return { kind: 'unknown', why: diagnosis ?? status };
  }
  if (stoppedAt === null) return { kind: 'boots' };
  return { kind: 'stops', at: stoppedAt, rule: failure?.rule ?? null, words: failure && withoutPassing(failure.text) };
}

/** A line may be read while still being printed: if one is a prefix of the other, they are the same. */
const isSameText = (a: string | null, b: string | null): boolean =>
  a === b || (a !== null && b !== null && (a.startsWith(b) || b.startsWith(a)));

function isSame(a: Outcome, b: Outcome): boolean {
  if (a.kind !== 'stops' || b.kind !== 'stops') return a.kind === b.kind;
  return a.at === b.at && a.rule === b.rule && isSameText(a.words, b.words);
}

/** Over all repeats of one cell: an inconclusive repeat is skipped if another is conclusive. */
export function outcomeOf(repeats: readonly CaseResult[]): Outcome {
  const all = repeats.map(({ verdict }) => outcomeOfVerdict(verdict));
  const known = all.filter(({ kind }) => kind !== 'unknown');
  const [first] = known;
  if (first === undefined) return all[0] ?? { kind: 'unknown', why: 'no case' };
  return known.every((one) => isSame(one, first)) ? first : { kind: 'varies' };
}

/** How two outcomes differ; undefined where they do not or it is unknown. */
export type OutcomeChange = 'no-longer-boots' | 'stops-earlier' | 'stops-elsewhere' | 'boots-now' | 'gets-further';

export function changeOf(before: Outcome, after: Outcome): OutcomeChange | undefined {
  if (before.kind === 'boots' && after.kind === 'stops') return 'no-longer-boots';
  if (before.kind === 'stops' && after.kind === 'boots') return 'boots-now';
  if (before.kind !== 'stops' || after.kind !== 'stops' || isSame(before, after)) return undefined;
  const progress = stages.indexOf(after.at) - stages.indexOf(before.at);
  if (progress === 0) return 'stops-elsewhere';
  return progress < 0 ? 'stops-earlier' : 'gets-further';
}

/** `boots`, `stops at config (ipxe-error: …)`. */
export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'boots':
      return 'boots';
    case 'varies':
      return 'varies';
    case 'unknown':
      return `unknown: ${outcome.why}`;
    case 'stops':
      return `stops at ${outcome.at}${outcome.rule === null ? '' : ` (${outcome.rule}: ${outcome.words})`}`;
  }
}
