import { describe, expect, it } from 'vitest';
import type { Scenario } from '../../harness/model/scenario.ts';
import { stages } from '../../harness/model/stages.ts';
import { planDeadlines } from '../../harness/plan/deadlines.ts';
import { recordedRun } from '../judge/recorded-run.ts';

const { scenario } = recordedRun('uefi-no-rom').plan;
const restOf = (fields: Partial<Scenario>) => planDeadlines({ ...scenario, ...fields }, stages).restMs;

describe('how long a guest may be at rest', () => {
  it('is longer than the longest pause of a PXE client, jitter included', () => {
    const limits = Object.values(restOf({}));
    expect(limits).toHaveLength(stages.length - 1);
    for (const limit of limits) expect(limit).toBeGreaterThan(32_000 * 1.1);
  });

  it('is longer over IPv6, where EDK II asks for information once a minute', () => {
    for (const limit of Object.values(restOf({ ipVersion: 6 }))) expect(limit).toBeGreaterThan(60_000 * 1.1);
  });

  it('is not known of a whole system', () => {
    expect(restOf({})).not.toHaveProperty('userspace');
  });

  it.each<[string, Partial<Scenario>]>([
    ['a script', { serve: { 'boot.ipxe': { text: '#!ipxe\nsleep 50\n' } } }],
    ['an NBP', { secondStage: { file: '/own/nbp.efi' } }],
    ['a firmware', { firmware: { code: '/own/code.fd' } }],
    ['a kernel with arguments', { kernelArgs: 'rootdelay=60' }],
    ['an argument of QEMU', { qemuArgs: ['-boot', 'menu=on,splash-time=60000'] }],
  ])('is not known of %s of the user', (_, fields) => {
    expect(restOf(fields)).toEqual({});
  });

  it('leaves a stage all of the deadline that the user has set for it', () => {
    const rest = restOf({ deadlines: { stageMs: { dhcp: 300_000 } } });
    expect(rest).not.toHaveProperty('dhcp');
    expect(rest).toHaveProperty('config');
  });
});
