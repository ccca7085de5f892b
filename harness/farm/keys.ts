/** All keys of a farm begin so. */
export const prefix = 'netboot-farm';

/** Names of what a farm keeps in Redis, apart from BullMQ's queues. */
export const keys = {
  /** Sets of ids; what each is about is in a key of its own, which expires. */
  workers: `${prefix}:workers`,
  runs: `${prefix}:runs`,
  worker: (name: string) => `${prefix}:worker:${name}`,
  run: (id: string) => `${prefix}:run:${id}`,
  drain: (name: string) => `${prefix}:drain:${name}`,
  file: (sha256: string) => `${prefix}:file:${sha256}`,
  chunk: (sha256: string, upload: string, nth: number) => `${prefix}:chunk:${sha256}:${upload}:${nth}`,
} as const;

/** Channels for what may be lost. */
export const channels = {
  /** Runs that ended: their cells are stopped at once, not only when the key of the run has expired. */
  ended: `${prefix}:ended`,
  /** Runs that have just sent cells: workers look at once, not only when they next would. */
  sent: `${prefix}:sent`,
  progress: (run: string) => `${prefix}:progress:${run}`,
} as const;

export const cellQueue = (run: string, need: string): string => `${run}.${need}`;
export const resultQueue = (run: string): string => `${run}.results`;

/** How often everybody says that they are there, and after how long without that they are taken for gone. */
export const beatMs = 5_000;
export const workerGoneMs = 15_000;
export const runGoneMs = 30_000;

/** A worker that has not renewed its lock on a cell for so long has lost it. */
export const lockMs = 30_000;
/** Cells of one run in Redis at once, of about 6 KB each: more than workers take before others are sent. */
export const mostOpen = 10_000;
/** A cell that was lost this often with its worker is not run again. */
export const mostLost = 3;
/** One that a worker cannot settle goes back to the others only until it was begun this often. */
export const mostBegun = 2 * mostLost;
