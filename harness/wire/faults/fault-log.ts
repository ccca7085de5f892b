import type { EventSink, UntimedEvent } from '../../model/events.ts';
import type { WireFaultAction } from '../../model/wire-faults.ts';
import type { Matched } from './match.ts';
import { messageOf } from './message.ts';

/** This many frames of a fault are logged one by one; the last count always is, when the case ends. */
const loggedFrames = 250;

type FaultEvent = Extract<UntimedEvent, { source: 'wire'; type: 'fault' }>;

export type FaultLog = ReturnType<typeof createFaultLog>;

/** Logs the frames that meet one fault of the scenario. */
export function createFaultLog(fault: number, emit: EventSink) {
  const counts = new Map<WireFaultAction, number>();
  const unlogged = new Map<WireFaultAction, FaultEvent>();
  return {
    met(action: WireFaultAction, frame: Buffer, { direction, file }: Matched): void {
      const count = (counts.get(action) ?? 0) + 1;
      counts.set(action, count);
      const { protocol, message } = messageOf(frame);
      const of = file === undefined ? [] : ['of', file];
      const what = [protocol ?? 'other', ...(message === undefined ? [] : [message]), ...of].join(' ');
      const event: FaultEvent = {
        ...{ source: 'wire', type: 'fault', fault, action, direction, what },
        ...{ bytes: frame.length, count },
      };
      if (count <= loggedFrames) emit(event);
      else unlogged.set(action, event);
    },
    end(): void {
      for (const event of unlogged.values()) emit(event);
      unlogged.clear();
    },
  };
}
