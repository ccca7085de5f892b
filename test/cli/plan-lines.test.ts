import { describe, expect, it } from 'vitest';
import { planLines } from '../../harness/cli/plan-lines.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { disk, planOf, resolved, scenario } from '../plan/found-scenario.ts';

const linesOf = (cell: Partial<Scenario>) =>
  planLines(planOf(scenario({ secondStage: 'none', payload: 'script', ...cell }), resolved({ nbp: undefined, disk })));

describe('what a case would do', () => {
  it('has stages, policy and files of each boot where there are several', () => {
    const stop: Scenario['expect'] = { stopsAt: 'disk', failure: [{ rule: 'silent' }], reason: 'no disk' };
    const lines = linesOf({ boots: [{ name: 'install' }, { name: 'from disk', payload: 'disk', expect: stop }] });
    expect(lines.filter((line) => line.startsWith('boot '))).toEqual([
      'boot 1: install (reaches its last stage)',
      'boot 2: from disk (stops at disk with silent: no disk)',
    ]);
    expect(lines.filter((line) => line === '  stages')).toHaveLength(2);
    expect(lines.findIndex((line) => /^ +disk /.test(line))).toBeGreaterThan(lines.indexOf('  stages', 8));
    expect(lines).toContain('inputs');
  });

  it('has what goes wrong on purpose, and where a redirect leads', () => {
    const lines = linesOf({
      faults: [faultSchema.parse({ drop: { first: 2 } })],
      serve: { 'a.efi': { redirect: '/b.efi' } },
    });
    expect(lines).toContain('  a.efi: redirect to /b.efi');
    expect(lines.slice(lines.indexOf('faults')).at(1)).toContain('"drop":{"first":2}');
  });

  it('says nothing of what it has not', () => {
    expect(linesOf({}).filter((line) => !line.startsWith(' '))).toEqual([
      ...['case', 'stages', 'boot policy (the first rule that holds)', 'served', 'inputs'],
      'command (accelerator and CPU are prepended)',
    ]);
  });
});
