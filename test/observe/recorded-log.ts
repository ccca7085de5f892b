import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HarnessEvent } from '../../harness/model/events.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { createConsole } from '../../harness/observe/console.ts';
import type { Evidence } from '../../harness/observe/evidence.ts';
import { createObserver } from '../../harness/observe/observer.ts';

const logs = fileURLToPath(new URL('../../fixtures/logs/', import.meta.url));

/** Renders a recorded serial log anew and lets the rules see it beside the recorded wire. */
export async function evidenceOf(
  name: string,
): Promise<{ evidence: readonly Evidence[]; complete: boolean; plan: Plan }> {
  const read = (file: string): Buffer => readFileSync(`${logs}${name}/${file}`);
  // A log outlives the plan's format: it keeps what the rules look at.
  const plan = JSON.parse(read('case.json').toString()) as Plan;
  const events = read('events.jsonl')
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as HarnessEvent);
  const serial = read('serial.raw');
  const observer = createObserver(plan);
  let now = 0;
  const screen = createConsole((line) => observer.observe({ tMs: now, source: 'serial', type: 'line', ...line }));
  let shown = 0;
  for (const event of events) {
    now = event.tMs;
    if (event.source !== 'serial') observer.observe(event);
    else {
      screen.push(serial.subarray(shown, event.offset));
      shown = event.offset;
    }
  }
  screen.push(serial.subarray(shown));
  screen.end();
  return { evidence: observer.evidence, complete: observer.complete, plan };
}
