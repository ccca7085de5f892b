import type { Arch } from '../../model/axes.ts';
import type { EventSink, HarnessEvent } from '../../model/events.ts';
import type { Scenario } from '../../model/scenario.ts';
import { doze, type Rhythm } from '../../vm/doze.ts';
import type { Guest } from '../../vm/qemu.ts';

/**
 * On Arm, EDK II's timer makes up for the ticks that it missed (ArmTimerDxe, TimerInterruptHandler), so that its wait
 * stays as long. On x86 a missed tick is lost: a guest that dozes for less than the 10 ms between two of them saves next
 * to nothing on a busy host, and waits twice as long.
 */
const rhythms: Partial<Record<Arch, Rhythm>> = { aarch64: { standsMs: 50, runsMs: 1 } };

/** A client that likes no offer may ask no more, and then does something else. */
const longestMs = 4_500;

type Dhcp = Extract<HarnessEvent, { source: 'wire'; type: 'dhcp' }>;

/** EDK II's own client (PXE 2.1 §2.2.3, UEFI 2.10 §24.7.2); iPXE adds a user class. */
const isFirmware = ({ vendorClass, userClass }: Pick<Dhcp, 'vendorClass' | 'userClass'>): boolean =>
  userClass === undefined && /^(PXE|HTTP)Client:Arch:/.test(vendorClass ?? '');

type Facts = Pick<Scenario, 'arch' | 'faults' | 'icount' | 'ipVersion' | 'payload'>;

/** To a disk, firmware comes after it has tried IPv6 too; and a clock that counts instructions does not go on meanwhile. */
const isOnlyAWait = ({ faults, icount, ipVersion, payload }: Facts): boolean =>
  faults === undefined && icount === undefined && ipVersion !== 6 && payload !== 'disk';

export interface OfferWait extends Disposable {
  observe(event: HarnessEvent): void;
  /** The guest goes on, whether an event says so or not. */
  wake(atMs: number): void;
}

/**
 * EDK II waits 3.9 s after the first OFFER for others, and polls its NIC all the while: with an emulated CPU that is half
 * the cost of many a boot. Where the firmware's clock allows it, QEMU dozes until the guest goes on; not where faults make
 * the moment matter at which a reply comes, nor where the boot goes on over IPv6, whose duplicate address detection takes
 * longer in a guest that dozes, and must be over by then.
 */
export function sleepThroughOfferWait(scenario: Facts, guest: Pick<Guest, 'signal'>, emit: EventSink): OfferWait {
  const rhythm = isOnlyAWait(scenario) ? rhythms[scenario.arch] : undefined;
  let asked = false;
  let wait: { sinceMs: number; dozing: Disposable; limit: NodeJS.Timeout } | undefined;

  function begin(sinceMs: number, rhythm: Rhythm): void {
    const dozing = doze(guest, rhythm);
    wait = { sinceMs, dozing, limit: setTimeout(() => end(sinceMs + longestMs), longestMs) };
  }
  function end(atMs?: number): void {
    if (wait === undefined) return;
    clearTimeout(wait.limit);
    wait.dozing[Symbol.dispose]();
    if (atMs !== undefined) emit({ source: 'vm', type: 'dozed', waitMs: Math.round(atMs - wait.sinceMs) });
    wait = undefined;
  }
  function onDhcp({ from, messageType, tMs, ...client }: Dhcp): void {
    if (rhythm === undefined) return;
    if (from === 'guest') {
      end(tMs);
      asked = messageType === 'discover' && isFirmware(client);
    } else if (asked && messageType === 'offer') {
      asked = false;
      begin(tMs, rhythm);
    }
  }
  return {
    observe(event) {
      if (event.source === 'wire' && event.type === 'dhcp') onDhcp(event);
    },
    wake: end,
    [Symbol.dispose]: () => end(),
  };
}
