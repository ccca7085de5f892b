import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../harness/model/scenario.ts';
import { earlyMachine } from '../../harness/plan/early-machine.ts';
import { disk, planOf, resolved, scenario } from './found-scenario.ts';

const of = (over: Partial<Scenario>, found?: Parameters<typeof resolved>[0]) =>
  earlyMachine(planOf(scenario(over), resolved({ ...(over.payload === 'disk' && { disk }), ...found })));

describe('the early boot of a case', () => {
  it.each<[string, Partial<Scenario>]>([
    ['loader', { secondStage: 'grub' }],
    ['transport of configuration and payload', { transport: { nbp: 'tftp', config: 'http', payload: 'http' } }],
    ['payload', { payload: 'script', secondStage: 'ipxe' }],
    ['boot policy', { boot: [{ name: 'all', when: {}, answer: true, file: 'other', options: [] }] }],
    ['expectation', { expect: { stopsAt: 'nbp', failure: [{ rule: 'bds-nothing' }], reason: 'a reason' } }],
  ])('is the same with another %s', (_, over) => {
    expect(of(over)).toBe(of({}));
  });

  it.each<[string, Partial<Scenario>]>([
    ['NIC', { nic: 'e1000' }],
    ['machine', { machine: 'pc' }],
    ['amount of memory', { memoryMiB: 300 }],
    ['random source', { randomSource: false }],
    ['clock', { icount: 7 }],
    ['transport of the first file, which firmware is told', { transport: 'http' }],
    ['IP version', { ipVersion: 6 }],
    ['property of the NIC', { nicOptions: { speed: 10 } }],
  ])('is another with another %s', (_, over) => {
    expect(of(over)).not.toBe(of({}));
    expect(of(over)).toBeDefined();
  });

  it('depends on the content of firmware, not on where it lies', () => {
    const withCode = (path: string, sha256: string) => {
      const firmware = { ...resolved().firmware, code: path };
      return of({}, { firmware, inputs: [{ role: 'firmware-code', path, sha256, bytes: 1 }] });
    };
    expect(withCode('/a,b/code', '11')).toBe(withCode('/elsewhere/code', '11'));
    expect(withCode('/a/code', '11')).not.toBe(withCode('/a/code', '22'));
  });

  it.each<[string, Partial<Scenario>]>([
    ['that is about it', { cold: true }],
    ['with arguments of its own', { qemuArgs: ['-S'] }],
    ['with several boots', { boots: [{ name: 'one' }, { name: 'two' }] }],
    ['with a disk', { payload: 'disk', secondStage: 'ipxe' }],
  ])('is nobody else’s in a case %s', (_, over) => {
    expect(of(over)).toBeUndefined();
  });
});
