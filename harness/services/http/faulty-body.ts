import type { ServerResponse } from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import type { ChosenFaults } from '../faults.ts';
import type { ServedEntry } from '../tree/served-entry.ts';

type Faults = ChosenFaults<'http'>;

/** How the body's length is said; and whether the connection must end with the body, since nothing else says where it does. */
export function lengthHeaders(
  response: ServerResponse,
  bytes: number,
  faults: Faults,
): Record<string, string | number> {
  const said = faults.take('contentLength');
  if (said === undefined) return { 'Content-Length': bytes };
  if (said === 'chunked') return { 'Transfer-Encoding': 'chunked' };
  if (said !== 'none') return { 'Content-Length': Math.max(0, bytes + said.offBy) };
  // Or Node would send chunks.
  response.useChunkedEncodingByDefault = false;
  return { Connection: 'close' };
}

/** The file as far as it is sent. */
export function cutShort(entry: ServedEntry, faults: Faults): ServedEntry {
  const truncateToBytes = faults.get('truncateToBytes');
  if (truncateToBytes === undefined || truncateToBytes >= entry.bytes) return entry;
  faults.met('truncateToBytes');
  return { ...entry, truncateToBytes };
}

const mostPieceBytes = 128 * 1024;
const piecesPerSecond = 10;

/** The pace of a body: how much is sent at a time, and the wait before the next piece. */
export function paceOf(faults: Faults) {
  const bytesPerSecond = faults.take('bytesPerSecond');
  if (bytesPerSecond === undefined) return { pieceBytes: mostPieceBytes, wait: async () => {} };
  return {
    pieceBytes: Math.min(mostPieceBytes, Math.ceil(bytesPerSecond / piecesPerSecond)),
    wait: async (): Promise<void> => void (await after(1000 / piecesPerSecond)),
  };
}

/** Whether the connection ends with the response without having said so. */
export function endsSilently(faults: Faults): boolean {
  const said = faults.get('contentLength');
  return faults.take('closeAfterwards') !== undefined || (typeof said === 'object' && said.offBy !== 0);
}
