import { closeSync, fstatSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from '../judge/judge.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Verdict } from '../model/verdict.ts';
import { openBounded } from '../os/bounded-file.ts';
import { caseFiles } from './case-directory.ts';
import { pathInside } from './inside.ts';
import { readEvents, readPlan } from './run-directory.ts';

/** What one guest left behind, read back. */
interface AttemptFiles {
  plan: Plan;
  events: HarnessEvent[];
  /** What the serial port sent: all of it, or its first and last bytes where it is too long. */
  serial: { head: Buffer; leftOut: number; tail: Buffer };
}

/** The records of a run, for those who make views of them. */
interface RunRecords {
  /**
   * `directory` is an attempt's, relative to the run's.
   * @throws HarnessError `bad-run-directory` or `bad-event-log` where plan or events are not what a run writes.
   */
  read(directory: string): AttemptFiles;
  judge(files: Pick<AttemptFiles, 'plan' | 'events'>): Verdict;
}

/** Of each end of a serial log; a boot prints some 20 kB, a guest in a loop whatever it likes. */
const endBytes = 128 << 10;

function readPart(fd: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, from));
}

/** The two ends of a file; its tail is empty where the head is all of it. */
function readEnds(path: string): AttemptFiles['serial'] {
  const fd = openBounded(path, Number.MAX_SAFE_INTEGER);
  try {
    const { size } = fstatSync(fd);
    const tailBytes = Math.max(0, Math.min(endBytes, size - endBytes));
    return {
      head: readPart(fd, 0, Math.min(size, endBytes)),
      leftOut: Math.max(0, size - 2 * endBytes),
      tail: readPart(fd, size - tailBytes, tailBytes),
    };
  } finally {
    closeSync(fd);
  }
}

export function runRecords(runDir: string): RunRecords {
  return {
    read(directory) {
      const path = pathInside(runDir, directory);
      // A view may be published: no link in a stranger's run brings another file into it.
      const serial = pathInside(runDir, join(directory, caseFiles.serial));
      return { plan: readPlan(path), events: readEvents(path), serial: readEnds(serial) };
    },
    judge: ({ plan, events }) => judge(plan, events),
  };
}
