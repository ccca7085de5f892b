// What became of a sabotaged case, from its records.
import { join } from 'node:path';
import { createObserver } from '../../../.build/harness/observe/observer.js';
import { readEvents, readPlan } from '../../../.build/harness/run/records/run-directory.js';

/**
 * Outcomes of a sabotage. `survived`: the verdict is that of the unbroken boot although the boot met the break, so the
 * expectation or a rule is too wide. `missed`: the boot had ended before it met the break, which shows nothing.
 */
export const outcomes = ['noticed', 'could-not-tell', 'missed', 'survived', 'not-run', 'interrupted'];

/** Whether the boot met its break before anything ended it. */
function hasMetBreak(directory) {
  const observer = createObserver(readPlan(directory));
  for (const event of readEvents(directory)) {
    if (event.source === 'run' && event.type === 'fault') return true;
    if (observer.observe(event).some(({ ends }) => ends) || observer.complete) return false;
  }
  return false;
}

const byStatus = { failed: 'noticed', error: 'could-not-tell', passed: 'survived', flaky: 'survived' };

export function outcomeOf({ verdict, run }, outDir) {
  const outcome = byStatus[verdict.status] ?? verdict.status;
  if (run.directory === null || ['not-run', 'interrupted'].includes(outcome)) return outcome;
  // An error may precede the break: a QEMU that refuses a damaged file never starts a guest.
  if (outcome === 'could-not-tell') return outcome;
  return hasMetBreak(join(outDir, run.directory)) ? outcome : 'missed';
}
