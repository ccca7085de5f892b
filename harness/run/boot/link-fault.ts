import type { EventSink } from '../../model/events.ts';
import type { Fault } from '../../model/faults.ts';
import type { WireFault } from '../../model/wire-faults.ts';
import { type Qmp, QmpError } from '../../vm/qmp.ts';
import { hasCome, type Progress } from '../../wire/faults/moment.ts';

export interface LinkFaultOptions extends Progress {
  faults: readonly Fault[];
  qmp: Qmp;
  emit: EventSink;
}

type LinkFault = WireFault & { linkDownMs: number };

const tickMs = 20;

const isOfLink = (fault: Fault): fault is LinkFault => fault.server === undefined && fault.linkDownMs !== undefined;

/**
 * Takes the guest's link down and up where its scenario says so (QMP set_link), until disposed of. It is up again when the
 * last of the faults that hold it down has passed. If QEMU refuses, nothing can be said of the guest.
 */
export function injectLinkFaults({ faults, qmp, emit, ...progress }: LinkFaultOptions): Disposable {
  const waiting = new Map(faults.flatMap((fault, index) => (isOfLink(fault) ? [[index, fault]] : [])));
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

  async function takeDown(index: number, { linkDownMs }: LinkFault): Promise<void> {
    downs++;
    if (!(await setLink(false))) return;
    const facts = { fault: index, action: 'linkDownMs', direction: 'to-guest', what: 'link', bytes: 0 } as const;
    emit({ source: 'wire', type: 'fault', ...facts, count: 1 });
    const pass = (): void => {
      if (--downs === 0) void setLink(true);
    };
    timers.add(setTimeout(pass, linkDownMs));
  }

  const look = (): void => {
    for (const [index, fault] of waiting) {
      if (fault.from !== undefined && !hasCome(fault.from, progress)) continue;
      waiting.delete(index);
      void takeDown(index, fault);
    }
  };
  if (waiting.size > 0) timers.add(setInterval(look, tickMs));
  return {
    [Symbol.dispose]() {
      isOver = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
