import { closeSync, openSync, readSync } from 'node:fs';

/** The files read here hold a line or two of numbers. */
const roomBytes = 1024;

/**
 * Text of a small file of procfs, in latin1. `readFileSync` asks for its size and reads until the end, which costs twice as
 * much, several times a second for every thread of every guest. Throws as it does.
 */
export function readKernelFile(path: string): string {
  const fd = openSync(path, 'r');
  try {
    return readOpenKernelFile(fd);
  } finally {
    closeSync(fd);
  }
}

/** What such a file says now, each time it is called. */
export function readOpenKernelFile(fd: number): string {
  const room = Buffer.allocUnsafe(roomBytes);
  return room.toString('latin1', 0, readSync(fd, room, 0, roomBytes, 0));
}
