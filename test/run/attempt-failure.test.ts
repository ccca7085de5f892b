import { describe, expect, it } from 'vitest';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { acceleratorFailureOf, killedBy, startFailureOf } from '../../harness/run/attempt-failure.ts';
import type { GuestExit } from '../../harness/vm/qemu.ts';
import { recordedRun } from '../judge/recorded-run.ts';

const spawned: HarnessEvent = { tMs: 1, source: 'vm', type: 'spawned', pid: 4711, accel: 'kvm' };
const internalError: HarnessEvent = { tMs: 9, source: 'qmp', type: 'status', status: 'internal-error' };
const booted = recordedRun('bios-no-driver').events;

const exit = (fields: Partial<GuestExit>): GuestExit => ({
  exitCode: 1,
  signal: null,
  byHarness: false,
  stderr: '',
  ...fields,
});

describe('a QEMU that would not start', () => {
  it('is told by its complaint', () => {
    const stderr =
      "qemu-system-x86_64: warning: x\nqemu-system-x86_64: -device foo: 'foo' is not a valid device model name\n";
    expect(startFailureOf(exit({ stderr }), [spawned])).toContain("'foo' is not a valid device model name");
  });

  it('is told by its end where it said nothing', () => {
    expect(startFailureOf(exit({ exitCode: null, signal: 'SIGSEGV' }), [spawned])).toBe('it ended with SIGSEGV');
    expect(startFailureOf(exit({ exitCode: 127 }), [])).toBe('it ended with 127');
    // Such as `-version` among the extra arguments: QEMU is content, and there was no guest.
    expect(startFailureOf(exit({ exitCode: 0 }), [spawned])).toBe('it ended with 0');
  });

  it.each([
    ['still runs', undefined, [spawned]],
    ['was ended by the harness', exit({ exitCode: null, signal: 'SIGKILL', byHarness: true }), [spawned]],
    ['ended after a guest had spoken', exit({ exitCode: null, signal: 'SIGSEGV' }), booted],
  ])('is not one that %s', (_, ended, events) => {
    expect(startFailureOf(ended, events)).toBeUndefined();
  });

  it('keeps a long complaint short', () => {
    expect(startFailureOf(exit({ stderr: 'x'.repeat(10_000) }), [])).toHaveLength(500);
  });
});

describe('a QEMU that was killed', () => {
  it.each(['SIGKILL', 'SIGTERM'])('by %s was killed from outside', (signal) => {
    expect(killedBy(exit({ exitCode: null, signal }))).toBe(signal);
  });

  it.each([
    ['it still runs', undefined],
    ['the harness ended it', exit({ exitCode: null, signal: 'SIGKILL', byHarness: true })],
    ['the fault was its own', exit({ exitCode: null, signal: 'SIGSEGV' })],
    ['it ended by itself', exit({ exitCode: 1 })],
  ])('is not one where %s', (_, ended) => {
    expect(killedBy(ended)).toBeUndefined();
  });
});

describe('an accelerator that gave up', () => {
  it('is told by the status of the guest', () => {
    expect(acceleratorFailureOf('kvm', [spawned, internalError], undefined)).toBe(
      'kvm stopped the guest with an internal error',
    );
  });

  it.each([
    ['an abort', exit({ exitCode: null, signal: 'SIGABRT', stderr: 'error: failed to set MSR 0x10a\n' })],
    ['its own words', exit({ stderr: 'Could not access KVM kernel module: Permission denied\n' })],
  ])('is told by %s', (_, ended) => {
    expect(acceleratorFailureOf('kvm', [spawned], ended)).toContain(ended.stderr.trim());
  });

  it('is not at fault for what QEMU refuses under any', () => {
    const ended = exit({ stderr: 'qemu-system-x86_64: -device foo: no such device\n' });
    expect(acceleratorFailureOf('kvm', [spawned], ended)).toBeUndefined();
    expect(acceleratorFailureOf('kvm', [spawned], undefined)).toBeUndefined();
    expect(acceleratorFailureOf('kvm', [spawned], exit({ signal: 'SIGABRT', byHarness: true }))).toBeUndefined();
  });

  it('is never TCG', () => {
    expect(acceleratorFailureOf('tcg', [spawned, internalError], exit({ signal: 'SIGABRT' }))).toBeUndefined();
  });
});
