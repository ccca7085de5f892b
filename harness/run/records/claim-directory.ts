import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import { type ProcessLock, takeProcessLock } from '../../os/process-lock.ts';
import { unfinishedName } from '../../os/write-whole.ts';
import { writeRecord } from './case-directory.ts';
import { casesFolder, type RunRecord, runRecordFile } from './run-directory.ts';

const runsFolder = '.runs';
/** There while a process runs in the directory. */
const lockFile = 'run.lock';

/** Creates a folder; undefined if the name is taken. */
function makeAlone(folder: string): string | undefined {
  try {
    mkdirSync(folder);
    return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}

/** Where records go that no folder was named for. Absolute. */
export const folderByTime = (startedAt = new Date().toISOString()): string =>
  resolve(runsFolder, startedAt.slice(0, 19).replaceAll(':', '-'));

/** A folder named by the start time, plus a number if another run started within the same second. */
function makeNamedByTime(startedAt: string): string {
  const path = folderByTime(startedAt);
  mkdirSync(dirname(path), { recursive: true });
  for (let nth = 1; ; nth++) {
    const made = makeAlone(nth === 1 ? path : `${path}-${nth}`);
    if (made !== undefined) return made;
  }
}

/** What a folder could not be made for. */
function refusalOf(path: string, cause: unknown): HarnessError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const hint = 'Choose another folder with --out.';
  return ['EEXIST', 'ENOTDIR'].includes(code)
    ? new HarnessError('bad-run-directory', `${path}: expected a folder, but it or a parent is a file`, { hint, cause })
    : new HarnessError('disk', `${path}: cannot be created: ${message}`, { hint, cause });
}

function makeRunFolder(outDir: string | undefined, startedAt: string): string {
  try {
    if (outDir === undefined) return makeNamedByTime(startedAt);
    mkdirSync(outDir, { recursive: true });
    return resolve(outDir);
  } catch (cause) {
    throw refusalOf(outDir ?? resolve(runsFolder), cause);
  }
}

function take(path: string): ReturnType<typeof takeProcessLock> {
  try {
    return takeProcessLock(path);
  } catch (cause) {
    throw refusalOf(path, cause);
  }
}

/** Removes what a process that was killed was writing: nobody else writes now. */
function removeUnfinished(runDir: string): void {
  for (const name of readdirSync(runDir).filter((name) => unfinishedName.test(name))) {
    rmSync(join(runDir, name), { recursive: true, force: true });
  }
}

/**
 * Keeps other processes from running in a run's directory, until disposed of.
 * @throws HarnessError `bad-run-directory` if one does already: names it
 */
export function lockRunDirectory(runDir: string): ProcessLock {
  const path = join(runDir, lockFile);
  const lock = take(path);
  if (lock.heldBy === undefined) {
    removeUnfinished(runDir);
    return lock;
  }
  const { pid, host } = lock.heldBy;
  const place = host === hostname() ? '' : ` on ${host}`;
  throw new HarnessError('bad-run-directory', `${runDir}: process ${pid}${place} is running cases in it`, {
    hint: `Wait for it to end, or choose another folder with --out; if there is no such process, remove ${path}.`,
    details: { path, pid, host },
  });
}

/** A run's directory, locked for this process. */
export interface ClaimedDirectory {
  /** Absolute. */
  outDir: string;
  lock: ProcessLock;
}

/** A process that was killed before it wrote the run's record may have left an empty folder: that is no run. */
function isEmptyOrNone(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch {
    return !existsSync(folder);
  }
}

/**
 * Creates the directory of a new run, locks it and writes the run's record into it; without `outDir` it is named by the
 * time. A directory that holds a run is refused.
 */
export async function claimRunDirectory(record: RunRecord, outDir?: string): Promise<ClaimedDirectory> {
  const folder = makeRunFolder(outDir, record.startedAt);
  const lock = lockRunDirectory(folder);
  try {
    const cases = join(folder, casesFolder);
    if (existsSync(join(folder, runRecordFile)) || !isEmptyOrNone(cases)) {
      throw new HarnessError('bad-run-directory', `${folder}: it already holds a run`, {
        hint: 'Choose another folder with --out, or leave it out; --resume resumes a run that was interrupted.',
      });
    }
    mkdirSync(cases, { recursive: true });
    await writeRecord(join(folder, runRecordFile), record);
    return { outDir: folder, lock };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}
