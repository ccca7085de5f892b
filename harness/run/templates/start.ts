import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Moment } from '../../plan/early-machine.ts';
import { loadableArgs, loadMachine, savableArgs, saveMachine } from '../../vm/machine-state.ts';
import type { Guest } from '../../vm/qemu.ts';
import { asksSomething, requestsLease } from '../../wire/codecs/question.ts';
import { type GatedLink, gatedLink } from '../../wire/stack/gated-link.ts';
import type { Link } from '../../wire/stack/link.ts';
import type { GuestLatenessWatch } from '../boot/lateness-watch.ts';
import type { AttemptRecords } from '../records/attempt-records.ts';
import { caseFiles } from '../records/case-directory.ts';
import { firmwareDebugIn, machineFilesIn, type Sight, writeTemplateRecord } from './template.ts';
import type { Claim } from './template-store.ts';

/** How a guest starts: from power-on, from power-on with a template left behind, or from a template. */
export interface Start {
  /** QEMU's arguments, after all others. */
  args(memoryMiB: number): string[];
  /** Before anything of the guest is read. Rejects if it cannot start so. */
  load(guest: Guest, directory: string): Promise<void>;
  /** The guest's link as the wire sees it. */
  gate(nic: Link): Link;
  /** What the guest prints. */
  printed(chunk: Buffer): void;
  /** The guest was answered late: it may not be where others would be. */
  late(): void;
  /** Wire and console are there. */
  begin(): Promise<void>;
  /** Whether the guest is, or is just being, stopped because of this. */
  isHolding(): boolean;
}

export interface StartContext {
  records: AttemptRecords;
  directory: string;
  guest(): Guest;
  lateness(): GuestLatenessWatch;
  /** The guest is to run: it may be dozing. */
  wake(): void;
}

export const coldStart: Start = {
  args: () => [],
  load: async () => {},
  gate: (nic) => nic,
  printed: () => {},
  late: () => {},
  begin: async () => {},
  isHolding: () => false,
};

type Make = Extract<Claim, { start: 'make' }>;
type Restore = Extract<Claim, { start: 'restore' }>;

export function startOf(claim: Claim, context: StartContext): Start {
  if (claim.start === 'make') return makingStart(claim, context);
  return claim.start === 'restore' ? restoredStart(claim, context) : coldStart;
}

const isMoment: Readonly<Record<Moment, (frame: Buffer) => boolean>> = {
  question: asksSomething,
  request: requestsLease,
};

/** Firmware shows some kilobytes up to its moment; a guest that never comes to it may show anything. */
const mostSeenBytes = 1 << 20;

const lateReason = 'its guest was answered late';

/** From power-on; stopped for a while at the moment of its template, to be saved. */
function makingStart(claim: Make, { records, directory, guest, lateness, wake }: StartContext): Start {
  const seen: Sight[] = [];
  let seenBytes = 0;
  let phase: 'before' | 'saving' | 'after' = 'before';
  let wasLate = false;

  function see(on: Sight['on'], bytes: Buffer): void {
    seenBytes += bytes.length;
    if (phase === 'before' && seenBytes > mostSeenBytes) giveUp(`more than ${mostSeenBytes} bytes were seen before it`);
    else seen.push({ tMs: records.now(), on, bytes: bytes.toString('base64') });
  }

  function giveUp(reason: string): void {
    phase = 'after';
    seen.length = 0;
    // A guest that is answered in time may still make one.
    if (wasLate) claim.postpone();
    else claim.release();
    records.emit({ source: 'vm', type: 'template-refused', reason });
  }

  async function save(nic: GatedLink): Promise<void> {
    const { qmp, cpuMs } = guest();
    const atMs = records.now();
    wake();
    await qmp.execute('stop');
    lateness().pause();
    try {
      if (wasLate) throw new Error(lateReason);
      const files = machineFilesIn(claim.folder);
      await saveMachine(guest(), files);
      await records.serial.caughtUp();
      // What the guest sent before it stopped has arrived by now; two turns, and it has been read.
      await nextTurn();
      await nextTurn();
      copyFileSync(join(directory, caseFiles.firmwareDebug), firmwareDebugIn(claim.folder));
      const asked = nic.waiting.map((frame) => frame.toString('base64'));
      writeTemplateRecord(claim.folder, { atMs, guestCpuMs: cpuMs(), seen, asked });
    } finally {
      lateness().resume();
      await qmp.execute('cont');
    }
  }

  async function saveAndGoOn(nic: GatedLink): Promise<void> {
    phase = 'saving';
    const since = performance.now();
    try {
      await save(nic);
      claim.made();
      const costMs = Math.round(performance.now() - since);
      records.emit({ source: 'vm', type: 'template-saved', template: claim.id, costMs });
    } catch (error) {
      giveUp((error as Error).message);
    } finally {
      phase = 'after';
      nic.open();
    }
  }

  return {
    ...coldStart,
    args: savableArgs,
    gate(nic) {
      const link: GatedLink = gatedLink(nic, (frame) => {
        if (phase !== 'before') return phase === 'after';
        if (isMoment[claim.moment](frame)) {
          void saveAndGoOn(link);
          return false;
        }
        see('wire', frame);
        return true;
      });
      return {
        ...link,
        send(parts) {
          if (phase === 'before') see('answer', Buffer.concat(parts));
          return link.send(parts);
        },
      };
    },
    printed(chunk) {
      if (phase !== 'after') see('serial', chunk);
    },
    late() {
      if (phase === 'after') return;
      wasLate = true;
      // Its question may be read before it is told that its guest had to wait.
      if (phase === 'before') giveUp(lateReason);
    },
    isHolding: () => phase === 'saving',
  };
}

const otherAnswers = 'The template does not fit, for the network answers its guest otherwise';

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');

/**
 * From a template: what was seen before its moment is recorded again, at its time, and what the guest sent then is sent
 * again. It has had its answers: those of this case's servers must be the same, byte for byte, and are not sent.
 */
function restoredStart({ template, release, refuse }: Restore, { records, guest, lateness }: StartContext): Start {
  const { id, files, firmwareDebug, record } = template;
  let gated: GatedLink | undefined;
  /** While the past is told. */
  let answers: string[] | undefined = [];
  let isHolding = true;

  function tell({ on, bytes }: Sight): void {
    if (on === 'serial') records.serial.take(bytesOf(bytes));
    else if (on === 'wire') gated?.deliver(bytesOf(bytes));
    else if (answers?.shift() !== bytes) throw new Error(`${otherAnswers}: it had another`);
  }
  function tellAll(): void {
    for (const sight of record.seen) {
      records.clock.holdAt(sight.tMs);
      tell(sight);
    }
    if (answers?.length) throw new Error(`${otherAnswers}: it had fewer`);
    answers = undefined;
  }
  return {
    ...coldStart,
    args(memoryMiB) {
      records.clock.hold();
      return loadableArgs(memoryMiB, files);
    },
    async load({ qmp }, directory) {
      try {
        await loadMachine(qmp, files);
        copyFileSync(firmwareDebug, join(directory, caseFiles.firmwareDebug));
      } finally {
        release();
      }
    },
    gate(nic) {
      gated = gatedLink(nic, () => true);
      return {
        ...gated,
        send(parts) {
          if (answers === undefined) return nic.send(parts);
          answers.push(Buffer.concat(parts).toString('base64'));
          return true;
        },
      };
    },
    async begin() {
      const { atMs, guestCpuMs, asked } = record;
      records.emit({ source: 'vm', type: 'restored', template: id, atMs, guestCpuMs });
      try {
        tellAll();
      } catch (error) {
        refuse();
        throw error;
      }
      records.clock.goOnFrom(atMs);
      for (const frame of asked) gated?.deliver(bytesOf(frame));
      isHolding = false;
      lateness().resume();
      await guest().qmp.execute('cont');
    },
    isHolding: () => isHolding,
  };
}
