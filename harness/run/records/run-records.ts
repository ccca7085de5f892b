import { closeSync, fstatSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from '../../judge/judge.ts';
import type { HarnessEvent } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import type { Verdict } from '../../model/verdict.ts';
import { openBounded } from '../../os/bounded-file.ts';
import { caseFiles } from './case-directory.ts';
import { pathInside } from './inside.ts';
import { readEvents, readPlan } from './run-directory.ts';

/** One guest's records, read back. */
interface AttemptFiles {
  plan: Plan;
  events: HarnessEvent[];
  /** Serial output: all of it, or its beginning and end if it is too long. */
  serial: { head: Buffer; leftOut: number; tail: Buffer };
}

/** The records of a run, for views of it. */
interface RunRecords {
  /**
   * `directory` is an attempt's, relative to the run's.
   * @throws HarnessError `bad-run-directory` or `bad-event-log` if plan or events are malformed.
   */
  read(directory: string): AttemptFiles;
  judge(files: Pick<AttemptFiles, 'plan' | 'events'>): Verdict;
}

/** Kept of each end of a serial log; a boot prints some 20 kB, a looping guest any amount. */
const endBytes = 128 << 10;

function readPart(fd: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(fd, bytes, 0, length, from));
}

/** The two ends of a file; the tail is empty if the head is all of it. */
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
      // Views get published: a link in an untrusted run must not pull another file in.
      const serial = pathInside(runDir, join(directory, caseFiles.serial));
      return { plan: readPlan(path), events: readEvents(path), serial: readEnds(serial) };
    },
    judge: ({ plan, events }) => judge(plan, events),
  };
}
