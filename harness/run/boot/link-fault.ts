import type { EventSink } from '../../model/events.ts';
import type { Fault } from '../../model/faults.ts';
import type { WireFault } from '../../model/wire-faults.ts';
import type { Qmp } from '../../vm/qmp.ts';
import { hasCome, type Progress } from '../../wire/faults/moment.ts';

export interface LinkFaultOptions extends Progress {
  faults: readonly Fault[];
  qmp: Qmp;
  emit: EventSink;
}

const tickMs = 20;

/** Takes the guest's link down and up where its scenario says so (QMP set_link), until disposed of. */
export function injectLinkFaults({ faults, qmp, emit, ...progress }: LinkFaultOptions): Disposable {
  const waiting = new Map(
    faults.flatMap((fault, index) =>
      fault.server !== undefined || fault.linkDownMs === undefined ? [] : [[index, fault]],
    ),
  );
  const timers = new Set<NodeJS.Timeout>();
  const setLink = (up: boolean): void => void qmp.execute('set_link', { name: 'net0', up }).catch(() => {});
  const isDue = ({ from }: WireFault): boolean => from === undefined || hasCome(from, progress);
  const look = (): void => {
    for (const [index, fault] of waiting) {
      if (!isDue(fault)) continue;
      waiting.delete(index);
      setLink(false);
      const facts = { fault: index, action: 'linkDownMs', direction: 'to-guest', what: 'link', bytes: 0 } as const;
      emit({ source: 'wire', type: 'fault', ...facts, count: 1 });
      timers.add(setTimeout(() => setLink(true), fault.linkDownMs));
    }
  };
  if (waiting.size > 0) timers.add(setInterval(look, tickMs));
  return {
    [Symbol.dispose]() {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
