import { expect, it } from 'vitest';
import { plainQemu } from '../../../harness/report/html/plain-qemu.ts';
import { disk, planOf, resolved, scenario } from '../../plan/found-scenario.ts';

it('is no command line where the disk of the machine is gone with its case', () => {
  const linesOf = (payload: 'script' | 'disk') =>
    plainQemu(planOf(scenario({ secondStage: 'none', payload }), resolved({ nbp: undefined, disk })));
  expect(linesOf('script')).toMatch(/^qemu-system-x86_64 -accel tcg /);
  expect(linesOf('disk')).toBeNull();
});
