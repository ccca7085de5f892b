import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HarnessEvent, UntimedEvent } from '../../harness/model/events.ts';
import { sleepThroughOfferWait } from '../../harness/run/boot/offer-wait.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const facts = {
  port: 67,
  senderIp: '0.0.0.0',
  targetIp: '255.255.255.255',
  bytes: 347,
  xid: 1,
  mac: '52:54:00:12:34:56',
};
const dhcp = (tMs: number, from: 'guest' | 'server', messageType: string, more: object = {}) =>
  ({ tMs, source: 'wire', type: 'dhcp', from, messageType, ...facts, ...more }) as HarnessEvent;
const firmware = { vendorClass: 'PXEClient:Arch:00011:UNDI:003000' };

function aavmf(scenario: object = {}) {
  const signals: string[] = [];
  const emitted: UntimedEvent[] = [];
  const wait = sleepThroughOfferWait(
    { arch: 'aarch64', ipVersion: 4, payload: 'script', ...scenario },
    { signal: (name) => void signals.push(name) },
    (event) => void emitted.push(event),
  );
  /** Whether QEMU stood still at some time in the next 100 ms, and runs after the last of them. */
  const stands = (): boolean => {
    const before = signals.length;
    vi.advanceTimersByTime(100);
    return signals.slice(before).includes('SIGSTOP');
  };
  return { wait, signals, emitted, stands };
}

/** Signals that stop or continue; the last one says what QEMU does. */
const last = (signals: readonly string[]): string | undefined => signals.filter((name) => name !== 'SIGALRM').at(-1);

describe('the wait of EDK II for more offers', () => {
  it('is slept through until the guest goes on', () => {
    const { wait, signals, emitted, stands } = aavmf();
    wait.observe(dhcp(100, 'guest', 'discover', firmware));
    expect(stands()).toBe(false);
    wait.observe(dhcp(110, 'server', 'offer'));
    expect(stands()).toBe(true);
    wait.observe(dhcp(4000, 'guest', 'request', firmware));
    expect(last(signals)).toBe('SIGCONT');
    expect(stands()).toBe(false);
    expect(emitted).toEqual([{ source: 'vm', type: 'dozed', waitMs: 3890 }]);
  });

  it('ends where the guest likes no offer', () => {
    const { wait, signals, emitted, stands } = aavmf();
    wait.observe(dhcp(100, 'guest', 'discover', firmware));
    wait.observe(dhcp(110, 'server', 'offer'));
    vi.advanceTimersByTime(5_000);
    expect(last(signals)).toBe('SIGCONT');
    expect(stands()).toBe(false);
    expect(emitted).toEqual([{ source: 'vm', type: 'dozed', waitMs: 4500 }]);
  });

  it('ends with the boot', () => {
    const { wait, signals, stands } = aavmf();
    wait.observe(dhcp(100, 'guest', 'discover', firmware));
    wait.observe(dhcp(110, 'server', 'offer'));
    wait[Symbol.dispose]();
    expect(last(signals)).toBe('SIGCONT');
    expect(stands()).toBe(false);
  });

  it.each([
    ["iPXE's", {}, { ...firmware, userClass: 'iPXE' }],
    ["GRUB's", {}, {}],
    ['the one of a guest that meets faults', { faults: [] }, firmware],
    ['that of a guest whose clock counts instructions', { icount: 7 }, firmware],
    ['the one before a boot over IPv6', { ipVersion: 6 }, firmware],
    ['the one before a boot from the disk, after IPv6', { payload: 'disk' }, firmware],
    ["x86 firmware's, whose clock stands still with it", { arch: 'x86_64' }, firmware],
  ])('is not taken for %s', (_, scenario, client) => {
    const { wait, signals, stands } = aavmf(scenario);
    wait.observe(dhcp(100, 'guest', 'discover', client));
    wait.observe(dhcp(110, 'server', 'offer'));
    expect(stands()).toBe(false);
    expect(signals).toEqual([]);
  });
});
