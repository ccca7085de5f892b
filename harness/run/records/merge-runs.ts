import { HarnessError } from '../../model/errors.ts';
import type { CaseResult, RunResult } from '../../model/verdict.ts';
import { countStatuses } from './run-summary.ts';

const sum = (runs: readonly RunResult[], of: (run: RunResult) => number): number =>
  runs.reduce((total, run) => total + of(run), 0);

/** Whether a case came to a verdict; one that did replaces one that did not. */
const isFinal = ({ verdict }: CaseResult): boolean =>
  !['not-run', 'waiting', 'interrupted', 'error'].includes(verdict.status);

/** Shards may have run on different machines. */
function qemuNotes(runs: readonly RunResult[]): string[] {
  const programs = [...new Set(runs.flatMap(({ host }) => Object.keys(host.qemu)))];
  return programs.flatMap((program) => {
    const versions = new Set(runs.flatMap(({ host }) => host.qemu[program] ?? []));
    return versions.size > 1
      ? [`the merged runs had different versions of ${program}: ${[...versions].join(', ')}`]
      : [];
  });
}

/**
 * Merges the shards of a run, in the order given. The same case twice is a conflict, unless only one of the two came to a
 * verdict: a shard and the run that resumed it. Wall and CPU times are those of all runs together; the rest of `host` is the first one's.
 * @throws HarnessError `bad-run-directory` for runs of different matrices, and for conflicts.
 */
export function mergeRuns(runs: readonly RunResult[]): RunResult {
  const [first, ...others] = runs;
  if (first === undefined) throw new HarnessError('usage', 'no run to merge', { hint: 'Name one or more.' });
  const stranger = others.find(({ matrix }) => matrix !== first.matrix);
  if (stranger !== undefined) {
    throw new HarnessError(
      'bad-run-directory',
      `expected shards of one matrix, saw "${first.matrix}" and "${stranger.matrix}"`,
      { hint: 'Leave out the run of the other matrix.' },
    );
  }
  const cases = new Map<string, CaseResult>();
  for (const one of runs.flatMap((run) => run.cases)) {
    const known = cases.get(one.id);
    if (known !== undefined && isFinal(known) && isFinal(one)) {
      throw new HarnessError('bad-run-directory', `${one.id} is in more than one of these runs`, {
        hint: 'Leave out one of them; for the repeats of a cell use --repeat.',
        details: { id: one.id },
      });
    }
    if (known === undefined || isFinal(one)) cases.set(one.id, one);
  }
  const merged = [...cases.values()];
  return {
    ...first,
    startedAt: runs.map(({ startedAt }) => startedAt).sort()[0] as string,
    host: { ...first.host, qemu: Object.assign({}, ...runs.map(({ host }) => host.qemu)) },
    cases: merged,
    totals: countStatuses(merged),
    wallMs: sum(runs, ({ wallMs }) => wallMs),
    guestCpuMs: sum(runs, ({ guestCpuMs }) => guestCpuMs),
    harnessCpuMs: sum(runs, ({ harnessCpuMs }) => harnessCpuMs),
    notes: [...new Set([...runs.flatMap(({ notes }) => notes), ...qemuNotes(runs)])],
  };
}
