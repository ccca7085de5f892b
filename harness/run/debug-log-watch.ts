import { stat } from 'node:fs/promises';
import { boundReached, recordBounds } from '../model/bounds.ts';
import type { EventSink } from '../model/events.ts';

/** A guest writes a byte at a time, some 1 MB/s: between two looks the log cannot grow far past its bound. */
const lookEveryMs = 250;

/** QEMU itself writes the firmware's debug log: watches its size until disposed of, and emits once it is full. */
export function watchDebugLog(path: string, emit: EventSink): Disposable {
  let stopped = false;
  const stop = (): void => {
    stopped = true;
    clearInterval(timer);
  };
  const look = async (): Promise<void> => {
    const { size } = await stat(path).catch(() => ({ size: 0 }));
    if (size < recordBounds.firmwareDebugBytes || stopped) return;
    stop();
    emit(boundReached('firmwareDebugBytes'));
  };
  const timer = setInterval(look, lookEveryMs);
  return { [Symbol.dispose]: stop };
}
