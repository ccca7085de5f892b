import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Stage } from '../../harness/model/stages.ts';
import type { BootedCase, CaseMatchers } from '../../harness/vitest/index.ts';
import '../../harness/vitest/index.ts';
import { type RecordedName, recordedRun } from '../judge/recorded-run.ts';

function booted(name: RecordedName): BootedCase {
  const { result, events } = recordedRun(name);
  return { id: result.id, verdict: result.verdict, result, directory: `/runs/${name}`, events };
}

const messageOf = (statement: () => void): string => {
  try {
    statement();
  } catch (error) {
    return (error as Error).message;
  }
  return 'it held';
};

describe('a recorded boot that reached its last stage', () => {
  const boot = booted('uefi-no-rom');

  it('reached each stage of its path, and stopped nowhere', () => {
    expect(boot).toReach('nbp');
    expect(boot).toReach('config');
    expect(boot).not.toStopAt('nbp');
    expect(messageOf(() => expect(boot).not.toReach('config'))).toContain(`expected ${boot.id} not to reach config`);
    expect(messageOf(() => expect(boot).toStopAt('nbp'))).toContain('saw every stage reached');
  });

  it('is asked about a stage that is not on its path', () => {
    for (const statement of [() => expect(boot).toReach('userspace'), () => expect(boot).not.toReach('userspace')]) {
      expect(messageOf(statement)).toContain('userspace is no stage of its path (firmware, ');
    }
  });

  it('observed one configuration', () => {
    expect(boot).toHaveObservedConfiguration(6);
    expect(boot).not.toHaveObservedConfiguration(4);
    expect(messageOf(() => expect(boot).toHaveObservedConfiguration(4))).toContain('saw configuration 6');
  });

  it('fetched what the wire shows', () => {
    expect(boot).toHaveFetched('snponly.efi');
    expect(boot).toHaveFetched('*.efi');
    expect(boot).not.toHaveFetched('grub.cfg');
    expect(messageOf(() => expect(boot).toHaveFetched('grub.cfg'))).toMatch(/to fetch grub\.cfg, saw .*snponly\.efi/);
  });
});

describe('a recorded boot that stopped', () => {
  const boot = booted('uefi-no-driver');

  it('stopped at that stage, for that reason and no other', () => {
    expect(boot).toStopAt('dhcp');
    expect(boot).toStopAt('dhcp', { rule: 'uefi-shell', says: 'Shell v2' });
    expect(boot).not.toStopAt('nbp');
    expect(boot).not.toStopAt('dhcp', { rule: 'uefi-shell', says: 'Shell v9' });
    expect(boot).not.toReach('dhcp');
  });

  it('is explained with its records', () => {
    const message = messageOf(() => expect(boot).toReach('dhcp'));
    expect(message).toContain('saw firmware as the last stage reached');
    expect(message).toContain('records: /runs/uefi-no-driver');
    expect(messageOf(() => expect(boot).toStopAt('dhcp', { rule: 'kernel-panic' }))).toContain(
      'to stop at dhcp by kernel-panic, saw a stop at dhcp (uefi-shell: UEFI Interactive Shell v2.2)',
    );
  });
});

it('of a boot that could not be judged, neither a statement nor its opposite holds', () => {
  const boot = booted('uefi-no-rom');
  const untold: BootedCase = { ...boot, verdict: { ...boot.verdict, status: 'error', diagnosis: 'QEMU crashed' } };
  for (const statement of [
    () => expect(untold).toReach('nbp'),
    () => expect(untold).not.toReach('nbp'),
    () => expect(untold).toHaveFetched('snponly.efi'),
    () => expect(untold).not.toStopAt('nbp'),
    () => expect(untold).not.toHaveObservedConfiguration(6),
  ]) {
    expect(messageOf(statement)).toContain('nothing can be said of this boot (error): QEMU crashed');
  }
});

it('stages, rules and configurations are typed', () => {
  const assertion = expect(booted('uefi-no-rom'));
  expectTypeOf<CaseMatchers['toReach']>().parameter(0).toEqualTypeOf<Stage>();
  // @ts-expect-error: no such stage
  expect(() => assertion.toReach('bootloader')).toThrow();
  // @ts-expect-error: there are six configurations
  expect(() => assertion.toHaveObservedConfiguration(7)).toThrow();
});
