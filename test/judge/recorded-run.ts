import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HarnessEvent } from '../../harness/model/events.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { type CaseResult, caseResultSchema } from '../../harness/model/verdict.ts';
import { readEvents, readPlan } from '../../harness/run/run-directory.ts';

/** fixtures/runs, by what they show. */
export const completed = ['bios-ipxe-rom', 'bios-pxe-rom', 'uefi-ipxe-rom', 'uefi-no-rom', 'arm-no-rom'] as const;
export const chainLoaded = ['bios-pxe-rom', 'uefi-no-rom', 'arm-no-rom'] as const;
export const stopped = ['bios-no-driver', 'uefi-no-driver', 'arm-no-driver'] as const;
export type RecordedName = (typeof completed)[number] | (typeof stopped)[number];

export interface RecordedRun {
  plan: Plan;
  events: HarnessEvent[];
  result: CaseResult;
}

export function recordedRun(name: RecordedName): RecordedRun {
  const directory = fileURLToPath(new URL(`../../fixtures/runs/${name}`, import.meta.url));
  const result = caseResultSchema.parse(JSON.parse(readFileSync(`${directory}/result.json`, 'utf8')));
  return { plan: readPlan(directory), events: readEvents(directory), result };
}
