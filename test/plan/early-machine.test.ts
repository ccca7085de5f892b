import { describe, expect, it } from 'vitest';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { earlyMachine, firstOffer } from '../../harness/plan/early-machine.ts';
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
    ['with a link that goes down', { faults: [faultSchema.parse({ from: { ms: 100 }, linkDownMs: 100 })] }],
    ['with a disk', { payload: 'disk', secondStage: 'ipxe' }],
  ])('is nobody else’s in a case %s', (_, over) => {
    expect(of(over)).toBeUndefined();
  });
});

const offered = (over: Partial<Scenario>) => firstOffer(planOf(scenario(over), resolved()));
const rule = (over: object) => ({ name: 'all', when: {}, answer: true, options: [], ...over });

describe('what firmware is offered at first', () => {
  it.each<[string, Partial<Scenario>]>([
    ['payload', { payload: 'script', secondStage: 'ipxe' }],
    ['transport of the payload', { transport: { nbp: 'tftp', config: 'http', payload: 'http' } }],
    ['offer to a guest that has fetched something', { boot: [rule({ file: 'x', when: { served: ['y'] } }), rule({})] }],
    ['name of a rule', { boot: [rule({ name: 'another' })] }],
  ])('is the same with another %s', (_, over) => {
    const base = over.boot ? { boot: [rule({})] } : { secondStage: 'ipxe' as const };
    expect(offered({ ...base, ...over })).toBe(offered(base));
    expect(offered(base)).toBeDefined();
  });

  it.each<[string, Partial<Scenario>]>([
    ['boot file', { boot: [rule({ file: 'other' })] }],
    ['option', { boot: [rule({ options: [{ code: 43, op: 'set', value: { hex: '06 01 08' } }] })] }],
    ['server beside', { proxyDhcp: true }],
  ])('is another with another %s', (_, over) => {
    expect(offered(over)).not.toBe(offered({}));
    expect(offered(over)).toBeDefined();
  });

  it.each<[string, Partial<Scenario>]>([
    ['over IPv6', { ipVersion: 6 }],
    ['with faults', { faults: [faultSchema.parse({ server: 'dhcp', delayMs: 3000 })] }],
    ['that may stop before', { expect: { stopsAt: 'dhcp', failure: [{ rule: 'bds-nothing' }], reason: 'a reason' } }],
  ])('counts for nothing in a case %s', (_, over) => {
    expect(offered(over)).toBeUndefined();
  });

  it('counts for nothing with BIOS', () => {
    expect(firstOffer({ ...planOf(scenario({}), resolved()), interface: 'bios' })).toBeUndefined();
  });
});
