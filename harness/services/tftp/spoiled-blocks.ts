import type { ChosenFaults } from '../faults.ts';
import type { ServedEntry } from '../tree/served-entry.ts';

type Faults = ChosenFaults<'tftp'>;

/** The numbers of a transfer's blocks, and what becomes of its last acknowledgement. */
export interface SpoiledBlocks {
  /** Of a block counted from 1 without bound; 0 is the answer to the OACK. */
  numberOf(block: number): number;
  /** True once. */
  losesLastAck(): boolean;
}

const highestNumber = 0xffff;

/** Undefined where no fault does anything to them. */
export function spoiledBlocks(faults: Faults): SpoiledBlocks | undefined {
  const skipped = faults.get('skipBlock') ?? Number.POSITIVE_INFINITY;
  const rollsToOne = faults.get('rolloverToOne') ?? false;
  let losesAck = faults.get('loseLastAck') ?? false;
  if (skipped === Number.POSITIVE_INFINITY && !rollsToOne && !losesAck) return undefined;
  return {
    numberOf(block) {
      const number = block < skipped ? block : block + 1;
      return rollsToOne && number > highestNumber ? ((number - 1) % highestNumber) + 1 : number & highestNumber;
    },
    losesLastAck() {
      if (!losesAck) return false;
      losesAck = false;
      faults.met('loseLastAck');
      return true;
    },
  };
}

export interface BlockSinks {
  send(packet: Buffer): void;
  /** From a port that is not the transfer's. */
  sendFromElsewhere(packet: Buffer): void;
  fail(): void;
}

/** Sends a transfer's packets, apart from those that a fault diverts. `otherFrom` is the first block of another length than the file's. */
export function sendingBlocks(
  faults: Faults,
  otherFrom: number | undefined,
  { send, sendFromElsewhere, fail }: BlockSinks,
) {
  const errorAt = faults.get('errorAtBlock');
  let elsewhereAt = faults.get('otherTidAtBlock');
  const unmet = new Map<'skipBlock' | 'rolloverToOne' | 'lengthOff', number>();
  const skipped = faults.get('skipBlock');
  if (skipped !== undefined) unmet.set('skipBlock', skipped);
  if (faults.get('rolloverToOne')) unmet.set('rolloverToOne', highestNumber + 1);
  if (otherFrom !== undefined) unmet.set('lengthOff', otherFrom);
  if (errorAt === undefined && elsewhereAt === undefined && unmet.size === 0) return send;

  return (packet: Buffer, block = 0): void => {
    if (block === errorAt) {
      faults.met('errorAtBlock');
      fail();
      return;
    }
    for (const [action, from] of unmet) {
      if (block < from) continue;
      faults.met(action);
      unmet.delete(action);
    }
    if (block === elsewhereAt) {
      elsewhereAt = undefined;
      faults.met('otherTidAtBlock');
      sendFromElsewhere(packet);
    } else send(packet);
  };
}

/** The file with another length: zeros after its end, or without it. */
export function resized(entry: ServedEntry, off: number): ServedEntry {
  if (off === 0) return entry;
  const bytes = Math.max(0, entry.bytes + off);
  return {
    ...entry,
    bytes,
    read(offset, length, target, at = 0) {
      const wanted = Math.max(0, Math.min(length, bytes - offset));
      target.fill(0, at, at + wanted);
      const there = Math.max(0, Math.min(wanted, entry.bytes - offset));
      if (there === 0) return wanted;
      const copied = entry.read(offset, there, target, at);
      return typeof copied === 'number' ? wanted : copied.then(() => wanted);
    },
  };
}
