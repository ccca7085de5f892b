import { describe, expect, it } from 'vitest';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { acceleratorFailureOf, qemuTrouble } from '../../harness/run/attempt-failure.ts';
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
  it('is told by its complaint, and not tried again', () => {
    const stderr =
      "qemu-system-x86_64: warning: x\nqemu-system-x86_64: -device foo: 'foo' is not a valid device model name\n";
    expect(qemuTrouble(exit({ stderr }), [spawned])).toEqual({
      message: expect.stringContaining(
        'QEMU would not start: qemu-system-x86_64: warning: x qemu-system-x86_64: -device',
      ),
      retryable: false,
    });
  });

  it('is told by its end where it said nothing', () => {
    expect(qemuTrouble(exit({ exitCode: 127 }), [])?.message).toBe('QEMU would not start: it ended with 127');
    // Such as `-version` among the extra arguments: QEMU is content, and there was no guest.
    expect(qemuTrouble(exit({ exitCode: 0 }), [spawned])?.message).toBe('QEMU would not start: it ended with 0');
  });

  it('for want of memory may start the next time', () => {
    const stderr = "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory\n";
    expect(qemuTrouble(exit({ stderr }), [spawned])?.retryable).toBe(true);
  });

  it('for a fault of its own may start the next time', () => {
    expect(qemuTrouble(exit({ exitCode: null, signal: 'SIGSEGV' }), [spawned])).toEqual({
      message: 'QEMU would not start: it ended with SIGSEGV',
      retryable: true,
    });
  });

  it.each([
    ['still runs', undefined, [spawned]],
    ['was ended by the harness', exit({ exitCode: null, signal: 'SIGKILL', byHarness: true }), [spawned]],
    ['ended after a guest had spoken', exit({ exitCode: null, signal: 'SIGSEGV' }), booted],
    ['ended by itself after a guest had spoken', exit({}), booted],
  ])('is not one that %s', (_, ended, events) => {
    expect(qemuTrouble(ended, events)).toBeUndefined();
  });

  it('keeps a long complaint short', () => {
    expect(qemuTrouble(exit({ stderr: 'x'.repeat(10_000) }), [])?.message.length).toBeLessThan(600);
  });
});

it.each(['SIGKILL', 'SIGTERM'])('a QEMU that %s ended was killed from outside, and is tried again', (signal) => {
  const killed = { message: `QEMU was killed from outside (${signal})`, retryable: true };
  expect(qemuTrouble(exit({ exitCode: null, signal }), booted)).toEqual(killed);
  expect(qemuTrouble(exit({ exitCode: null, signal }), [])).toEqual(killed);
});

describe('an accelerator that gave up', () => {
  it('is told by the status of the guest', () => {
    expect(acceleratorFailureOf('kvm', [spawned, internalError], undefined)).toBe(
      'kvm stopped the guest with an internal error',
    );
  });

  it.each([
    'Could not access KVM kernel module: Permission denied',
    'qemu-system-x86_64: -accel kvm: failed to initialize kvm: No such file or directory',
    'qemu-system-x86_64: failed to initialize kvm: Operation not permitted',
    'qemu-system-x86_64: -accel hvf: failed to initialize hvf: Unknown error',
    'qemu-system-x86_64: error: failed to set MSR 0x10a to 0x2000',
    "qemu-system-x86_64: ../../target/i386/kvm/kvm.c:2996: kvm_buf_set_msrs: Assertion `ret == cpu->kvm_msr_buf->nmsrs' failed.",
    'qemu-system-x86_64: kvm_init_vcpu: kvm_get_vcpu failed (0): Invalid argument',
    'ioctl(KVM_CREATE_VM) failed: 16 Device or resource busy',
    'qemu-system-aarch64: Error: ret = HV_UNSUPPORTED (0xfae9400f, at ../target/arm/hvf/hvf.c:1000)',
    'KVM internal error. Suberror: 1',
  ])('is told by %s', (message) => {
    const ended = exit({ exitCode: null, signal: 'SIGABRT', stderr: `warning: something else\n${message}\n` });
    const said = acceleratorFailureOf('kvm', [spawned], ended) ?? '';
    expect(said).toMatch(/^QEMU ended under kvm: /);
    expect(message).toContain(said.slice('QEMU ended under kvm: '.length));
  });

  it.each([
    'qemu-system-x86_64: -device foo: no such device',
    "qemu-system-x86_64: -device e1000,romfile=/home/me/kvm/x.rom: failed to find romfile '/home/me/kvm/x.rom'",
    "qemu-system-x86_64: could not load PC BIOS '/srv/KVM/bios.bin'",
    'qemu-system-x86_64: -drive file=/images/hvf.img: Could not open: failed to initialize kvm: no',
    "qemu-system-x86_64: -cpu host,+x: Property 'host-x86_64-cpu.MSR' not found",
    "qemu-system-x86_64: ../hw/net/e1000.c:88: e1000_send: Assertion `size < max' failed.",
  ])('is not at fault for %s', (message) => {
    const ended = exit({ exitCode: null, signal: 'SIGABRT', stderr: `${message}\n` });
    expect(acceleratorFailureOf('kvm', [spawned], ended)).toBeUndefined();
  });

  it('is not at fault where QEMU still runs, or the harness ended it', () => {
    const stderr = 'KVM internal error. Suberror: 1\n';
    expect(acceleratorFailureOf('kvm', [spawned], undefined)).toBeUndefined();
    expect(acceleratorFailureOf('kvm', [spawned], exit({ stderr, byHarness: true }))).toBeUndefined();
  });

  it('is never TCG', () => {
    const stderr = 'KVM internal error. Suberror: 1\n';
    expect(acceleratorFailureOf('tcg', [spawned, internalError], exit({ stderr }))).toBeUndefined();
  });
});
