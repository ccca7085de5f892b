import { statSync } from 'node:fs';
import { boundReached, recordBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';

/** A guest writes a byte at a time, some 1 MB/s: between two looks the log cannot grow far past its bound. */
const lookEveryMs = 1_000;

/** 0 if there is none. Not asynchronous: handing a look at an inode to another thread costs ten times as much. */
function sizeOf(path: string): number {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}

/** QEMU itself writes the firmware's debug log: watches its size until disposed of, and emits once it is full. */
export function watchDebugLog(path: string, emit: EventSink): Disposable {
  const stop = (): void => clearInterval(timer);
  const look = (): void => {
    if (sizeOf(path) < recordBounds.firmwareDebugBytes) return;
    stop();
    emit(boundReached('firmwareDebugBytes'));
  };
  const timer = setInterval(look, lookEveryMs);
  return { [Symbol.dispose]: stop };
}
