import type { ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { ChosenFaults } from '../faults.ts';
import type { ServedEntry } from '../tree/served-entry.ts';
import { pause } from './pause.ts';
import type { ByteRange } from './range.ts';

type Faults = ChosenFaults<'http'>;

/** How the body's length is said; and whether the connection must end with the body, since nothing else says where it does. */
export function lengthHeaders(
  response: ServerResponse,
  bytes: number,
  faults: Faults,
): Record<string, string | number> {
  const right = { 'Content-Length': bytes };
  const said = faults.get('contentLength');
  if (said === undefined) return right;
  const wrong = typeof said === 'object' ? { 'Content-Length': Math.max(0, bytes + said.offBy) } : undefined;
  if (wrong?.['Content-Length'] === bytes) return right;
  faults.met('contentLength');
  if (wrong) return wrong;
  if (said === 'chunked') return { 'Transfer-Encoding': 'chunked' };
  // Or Node would send chunks.
  response.useChunkedEncodingByDefault = false;
  return { Connection: 'close' };
}

/** The file as far as it is sent. */
export function cutShort(entry: ServedEntry, { end }: ByteRange, faults: Faults): ServedEntry {
  const truncateToBytes = faults.get('truncateToBytes');
  if (truncateToBytes === undefined || truncateToBytes >= end) return entry;
  faults.met('truncateToBytes');
  return { ...entry, truncateToBytes };
}

/** Closes the connection in the middle of a body. */
export function breakOff(response: ServerResponse, faults: Faults): void {
  response.flushHeaders();
  const { socket } = response;
  if (faults.get('withoutCloseNotify') === undefined) {
    socket?.destroySoon();
    return;
  }
  faults.met('withoutCloseNotify');
  // Once all before it has been handed over; a TLS socket that is ended says close_notify, one that is destroyed does not.
  socket?.write('', () => socket.destroy());
}

const mostPieceBytes = 128 * 1024;
const piecesPerSecond = 10;
/** What a guest that paused may catch up with. */
const mostBehindMs = 1000;

/** The pace of a body: how much is sent at a time, and the wait before a piece, until its last byte is due. */
export function paceOf(faults: Faults, clock: Clock, response: ServerResponse) {
  const bytesPerSecond = faults.get('bytesPerSecond');
  if (bytesPerSecond === undefined) return { pieceBytes: mostPieceBytes, wait: async () => {} };
  let dueMs = clock.now();
  let isMet = false;
  return {
    pieceBytes: Math.min(mostPieceBytes, Math.ceil(bytesPerSecond / piecesPerSecond)),
    async wait(bytes: number): Promise<void> {
      const nowMs = clock.now();
      dueMs = Math.max(dueMs, nowMs - mostBehindMs) + (bytes * 1000) / bytesPerSecond;
      if (dueMs <= nowMs || response.destroyed) return;
      if (!isMet) faults.met('bytesPerSecond');
      isMet = true;
      await pause(response, clock, dueMs - nowMs);
    },
  };
}

/** Whether the connection must end with the body, although its length is said. */
export const saysWrongLength = (faults: Faults): boolean => typeof faults.get('contentLength') === 'object';

/** Has the connection end with the response, unless it would anyway. */
export function closeAfter(response: ServerResponse, faults: Faults): void {
  const { socket } = response;
  response.once('finish', () => {
    const said = faults.get('contentLength');
    if (said !== undefined && said !== 'chunked') return;
    faults.met('closeAfterwards');
    socket?.destroySoon();
  });
}
