import { createSerialDecoder } from '../../model/serial-text.ts';
import type { ConsoleChunk } from './report-data.ts';

/** A moment at which the console had shown the first `offset` bytes of the serial port. */
export interface ConsoleMark {
  tMs: number;
  offset: number;
}

/** Cuts what the serial port sent at the moments when it was seen on the console. */
export function consoleChunks(serial: Buffer, marks: readonly ConsoleMark[]): ConsoleChunk[] {
  const decoder = createSerialDecoder();
  const decode = (bytes: Buffer): string => Array.from(bytes, decoder.push).join('');
  const chunks: ConsoleChunk[] = [];
  let read = 0;
  let lastMs = 0;
  for (const { tMs, offset } of marks) {
    lastMs = tMs;
    const end = Math.min(offset, serial.length);
    if (end <= read) continue;
    chunks.push([tMs, decode(serial.subarray(read, end))]);
    read = end;
  }
  const rest = decode(serial.subarray(read)) + decoder.end();
  if (rest !== '') chunks.push([lastMs, rest]);
  return chunks;
}
