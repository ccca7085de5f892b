import type { EventEmitter } from 'node:events';
import type { Fingerprints } from '../assets/fingerprint.ts';
import type { HandedCase } from '../run/elsewhere.ts';
import type { AccelChoice } from '../vm/acceleration.ts';
import type { FarmConnection } from './connect.ts';
import type { FileStore } from './file-store.ts';
import type { Board } from './presence.ts';
import type { Sealing } from './seal.ts';
import type { SentQueue } from './sent-cells.ts';

export interface SubmitOptions {
  redis: FarmConnection;
  sealing: Sealing;
  store: FileStore;
  fingerprints: Pick<Fingerprints, 'of'>;
  /** Of this package. */
  version: string;
  matrix: string;
  accel: AccelChoice;
  labels: readonly string[];
  priority: number;
  /** How long cells wait for a worker that can run them. */
  waitMs: number;
  /** Cells that wait in Redis at once. */
  mostOpen: number;
  /** A line for the user. */
  say(line: string): void;
}

/** A case that workers may take. */
export interface SentCell {
  handed: HandedCase;
  queue: SentQueue;
}

/** What the parts of a run on a farm share. */
export interface Submitted extends SubmitOptions {
  run: string;
  startedAt: string;
  board: Board;
  unsent: Set<HandedCase>;
  /** Cases that were sent and have no result yet, by id. */
  open: Map<string, SentCell>;
  /** By the key of their need. */
  queues: Map<string, SentQueue>;
  /** SHA-256 of files that the store has. */
  stored: Set<string>;
  /** Cells that each worker ran. */
  ranOn: Map<string, number>;
  notes: string[];
  /** Emits `case` for each that has its result. */
  finished: EventEmitter<{ case: [] }>;
  allDone(): void;
}

/** Reports the result of a case that has none, sent or not. */
export async function finishCase(
  state: Submitted,
  handed: HandedCase,
  result: Parameters<HandedCase['finish']>[0],
): Promise<void> {
  const { unsent, open, finished, allDone } = state;
  unsent.delete(handed);
  open.delete(handed.run.id);
  await handed.finish(result);
  finished.emit('case');
  if (unsent.size + open.size === 0) allDone();
}
