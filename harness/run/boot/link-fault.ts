import type { EventSink } from '../../model/events.ts';
import { type Fault, isOfWire } from '../../model/faults.ts';
import type { WireFault } from '../../model/wire-faults.ts';
import { type Qmp, QmpError } from '../../vm/qmp.ts';
import { hasCome, type Progress } from '../../wire/faults/moment.ts';

export interface LinkFaultOptions extends Progress {
  faults: readonly Fault[];
  qmp: Qmp;
  emit: EventSink;
}

type TimedFault = WireFault & { linkDownMs: number };

export interface LinkFaults extends Disposable {
  /** For the fault of this index; nothing while the link is down. */
  takeDown(fault: number, ms: number): void;
}

const tickMs = 20;

const isTimed = (fault: Fault): fault is TimedFault => isOfWire(fault) && typeof fault.linkDownMs === 'number';

/**
 * Takes the guest's link down and up (QMP set_link), at the moments that its scenario names and when told to, until disposed
 * of. It is up again when the last of the faults that hold it down has passed. If QEMU refuses, nothing can be said of the
 * guest.
 */
export function injectLinkFaults({ faults, qmp, emit, ...progress }: LinkFaultOptions): LinkFaults {
  const waiting = new Map(faults.flatMap((fault, index) => (isTimed(fault) ? [[index, fault]] : [])));
  const counts = new Map<number, number>();
  const timers = new Set<NodeJS.Timeout>();
  let downs = 0;
  let isOver = false;

  /** Whether it was done. The end of a session is that of the guest, which has its own record. */
  async function setLink(up: boolean): Promise<boolean> {
    try {
      await qmp.execute('set_link', { name: 'net0', up });
      return !isOver;
    } catch (error) {
      if (isOver || !(error instanceof QmpError)) return false;
      const message = `QEMU did not take the guest's link ${up ? 'up' : 'down'}: ${error.message}`;
      emit({ source: 'run', type: 'infrastructure', code: 'qemu-failed', message, retryable: false });
      return false;
    }
  }

  async function hold(fault: number, ms: number): Promise<void> {
    downs++;
    if (!(await setLink(false))) return;
    const count = (counts.get(fault) ?? 0) + 1;
    counts.set(fault, count);
    const facts = { fault, action: 'linkDownMs', direction: 'to-guest', what: 'link', bytes: 0 } as const;
    emit({ source: 'wire', type: 'fault', ...facts, count });
    const timer = setTimeout(() => {
      timers.delete(timer);
      if (--downs === 0) void setLink(true);
    }, ms);
    timers.add(timer);
  }

  const look = (): void => {
    for (const [index, fault] of waiting) {
      if (fault.from !== undefined && !hasCome(fault.from, progress)) continue;
      waiting.delete(index);
      void hold(index, fault.linkDownMs);
    }
  };
  if (waiting.size > 0) timers.add(setInterval(look, tickMs));
  return {
    takeDown(fault, ms) {
      if (downs === 0 && !isOver) void hold(fault, ms);
    },
    [Symbol.dispose]() {
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
