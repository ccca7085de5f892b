import { fileURLToPath } from 'node:url';
import type { HarnessEvent } from '../../harness/model/events.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { readEvents, readPlan } from '../../harness/run/records/run-directory.ts';

export interface RecordedServer {
  plan: Plan;
  events: HarnessEvent[];
}

/** fixtures/servers */
export function recordedServer(name: string): RecordedServer {
  const directory = fileURLToPath(new URL(`../../fixtures/servers/${name}`, import.meta.url));
  return { plan: readPlan(directory), events: readEvents(directory) };
}
