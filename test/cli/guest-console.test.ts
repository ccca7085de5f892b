import { expect, it } from 'vitest';
import { unhurried } from '../../harness/cli/guest-console.ts';
import { planOf, resolved, scenario } from '../plan/found-scenario.ts';

it('gives a user at the console a day in every boot of a case', () => {
  const deadlines = { totalMs: 1000, stageMs: { firmware: 10 } };
  const boots = [{ name: 'one' }, { name: 'two', deadlines }];
  const cell = scenario({ secondStage: 'none', payload: 'script', deadlines, boots });
  const { boots: planned = [], ...whole } = planOf(unhurried(cell), resolved({ nbp: undefined }));
  for (const plan of [whole, ...planned]) {
    expect([plan.deadlines.totalMs, plan.deadlines.stageMs.firmware]).toEqual([86_400_000, 86_400_000]);
  }
});
