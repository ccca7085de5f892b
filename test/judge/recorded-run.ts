import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HarnessEvent } from '../../harness/model/events.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { type CaseResult, caseResultSchema } from '../../harness/model/verdict.ts';
import { readEvents, readPlan } from '../../harness/run/records/run-directory.ts';

/** fixtures/runs, by what they show. */
export const completed = ['bios-ipxe-rom', 'bios-pxe-rom', 'uefi-ipxe-rom', 'uefi-no-rom', 'arm-no-rom'] as const;
export const chainLoaded = ['bios-pxe-rom', 'uefi-no-rom', 'arm-no-rom'] as const;
export const stopped = ['bios-no-driver', 'uefi-no-driver', 'arm-no-driver'] as const;
/** Stops whose reason is in what was seen before the words that ended the boot. */
export const expectedStops = [
  'arm-autoexec-nothing-sent',
  'arm-ipv6-no-address',
  'bios-undionly-no-receive',
  'uefi-http-redirect',
  'uefi-https-authority',
  'uefi-https-name',
  'uefi-kernel-no-console',
  'uefi-kernel-refused-late-ack',
  'uefi-snp-rom-stalled',
] as const;
export type RecordedName = (typeof completed | typeof stopped | typeof expectedStops)[number];

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
