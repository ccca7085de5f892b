import { join } from 'node:path';
import { judge } from '../../judge/judge.ts';
import { bootsOf } from '../../model/boots.ts';
import { isSameRecord } from '../../model/canonical-json.ts';
import { HarnessError } from '../../model/errors.ts';
import { isOverdue } from '../../model/expectation.ts';
import { isShared, relayOf } from '../../model/provisioner.ts';
import type { CaseResult } from '../../model/verdict.ts';
import { makePlan } from '../../plan/plan.ts';
import type { AccelChooser } from '../../vm/acceleration.ts';
import type { QemuFacts } from '../../vm/host.ts';
import type { CaseName } from '../case-result.ts';
import type { FoundCase } from '../found-case.ts';
import { copyRecords } from '../records/copy-records.ts';
import { emptyDirectoryInside, pathInside } from '../records/inside.ts';
import {
  casesFolder,
  readCaseResult,
  readEvents,
  readPlan,
  readRunRecord,
  readStartedQemu,
} from '../records/run-directory.ts';
import { ownCodeDigest } from './own-code.ts';
import { plannedCase } from './plan-again.ts';
import { differencesOf } from './same-case.ts';

export interface ReuseOptions {
  /** Directory of an earlier run. */
  from: string;
  /** Records older than this are not used. */
  maxAgeMs: number;
}

interface ReuseQuery extends CaseName {
  found: FoundCase;
  qemu: QemuFacts;
  accel: Pick<AccelChooser, 'choose'>;
  outDir: string;
}

/** Decides for one run which cases of an earlier run it can reuse. */
export interface Reusable {
  /** The earlier result with its records, now in this run's directory; undefined if the case has to be booted. */
  take(query: ReuseQuery): Promise<CaseResult | undefined>;
}

/** Only these statuses show what the guest does every time. */
const settled: readonly CaseResult['verdict']['status'][] = ['passed', 'failed'];

/** The recorded case, if all that it depends on is unchanged. */
async function sameAsThen(
  directory: string,
  { found, qemu, accel: chooser, ...name }: ReuseQuery,
): Promise<CaseResult | undefined> {
  const then = readCaseResult(directory);
  if (then === undefined || then.id !== name.id || !settled.includes(then.verdict.status)) return undefined;
  // Nobody knows what a server that runs elsewhere would do today.
  if (relayOf(found.scenario.provisioner) !== undefined) return undefined;
  // Judged by its own date, it would still pass.
  const today = new Date().toISOString();
  if (bootsOf(found.scenario).some(({ expect }) => isOverdue(expect, today))) return undefined;
  const [plan, started] = [readPlan(directory), readStartedQemu(directory)];
  if (started === undefined) return undefined;
  // Planned today with the recorded nonce, so that only real differences show.
  const now = makePlan({ ...found, nonce: plan.nonce });
  const { accel } = await chooser.choose(now, qemu);
  if (differencesOf({ plan, qemu: started }, plannedCase(now, qemu, accel)).length > 0) return undefined;
  if (!isSameRecord(decisive(now), decisive(plan))) return undefined;
  // The log is judged again: a record is trusted only as far as it can be recomputed.
  const verdict = judge(now, readEvents(directory));
  return isSameRecord(verdict, then.verdict) ? then : undefined;
}

/** What `differencesOf` leaves out but a verdict depends on. */
const decisive = ({
  scenario,
  stagePath,
  deliveries,
  deadlines,
  loader,
  interface: firmware,
}: ReturnType<typeof makePlan>) => ({
  scenario,
  stagePath,
  deliveries,
  deadlines,
  loader,
  firmware,
});

/**
 * Opens an earlier run for reuse.
 * @throws HarnessError `bad-run-directory` if it is not one
 */
export function openReuse({ from, maxAgeMs }: ReuseOptions): Reusable {
  const record = readRunRecord(from);
  const isYoung = Date.now() - Date.parse(record.startedAt) <= maxAgeMs;
  const isSameCode = record.code === ownCodeDigest();
  return {
    async take(query) {
      // What guests of a shared server find depends on which of them were there before.
      if (!isYoung || !isSameCode || isShared(query.found.scenario.provisioner)) return undefined;
      const name = join(casesFolder, query.id);
      const old = pathInside(from, name);
      const then = await sameAsThen(old, query).catch((error: unknown) => {
        // A damaged record is not used: the case is booted.
        if (error instanceof HarnessError) return undefined;
        throw error;
      });
      if (then === undefined) return undefined;
      copyRecords(old, emptyDirectoryInside(query.outDir, name));
      return { ...then, round: query.round, run: { ...then.run, reusedFrom: from } };
    },
  };
}
