import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { z } from 'zod';
import { readBoundedText } from './bounded-file.ts';

const ownerSchema = z.strictObject({
  pid: z.int().positive(),
  host: z.string(),
  /** When the process started, in clock ticks since boot; null where the kernel does not say. Pids are used again. */
  started: z.string().nullable(),
});
/** The process that holds a lock. */
export type LockOwner = z.infer<typeof ownerSchema>;

export interface ProcessLock extends Disposable {
  readonly heldBy?: undefined;
}

const maxBytes = 4096;
/** Each loses to another process; more can only be a file that is no lock, such as a link to nowhere. */
const maxTries = 100;

/** Field 22 of /proc/PID/stat (proc(5)); the second, in parentheses, may hold anything. Undefined without such a process. */
function startedAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Another host's processes cannot be seen, and count as alive. */
function isAlive({ pid, host, started }: LockOwner): boolean {
  if (host !== hostname()) return true;
  if (started !== null) return startedAt(pid) === started;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The lock's text; undefined if there is none. */
function textAt(path: string): string | undefined {
  try {
    return readBoundedText(path, maxBytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The process that a lock's text names; undefined if it names none. */
function ownerIn(text: string): LockOwner | undefined {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** What link(2) fails with on file systems without hard links. */
const noHardLinks: readonly unknown[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];

/** Creates the lock, where possible together with its content; false if there is one. */
function create(path: string, text: string): boolean {
  const unfinished = `${path}.${randomBytes(4).toString('hex')}`;
  writeFileSync(unfinished, text);
  try {
    try {
      linkSync(unfinished, path);
    } catch (error) {
      if (!noHardLinks.includes((error as NodeJS.ErrnoException).code)) throw error;
      writeFileSync(path, text, { flag: 'wx' });
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/** Removes a lock with this text, and no other that has taken its place meanwhile. */
function remove(path: string, text: string): void {
  const aside = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (textAt(aside) !== text) create(path, textAt(aside) ?? '');
  rmSync(aside, { force: true });
}

/**
 * Takes the lock file at `path` for this process, or says which process holds it; one whose process has died is taken over.
 * Disposing of the lock removes it. Throws an Error that says why where there can be no such file.
 */
export function takeProcessLock(path: string): ProcessLock | { heldBy: LockOwner } {
  const owner: LockOwner = { pid: process.pid, host: hostname(), started: startedAt(process.pid) ?? null };
  const text = `${JSON.stringify(owner)}\n`;
  for (let tries = 0; tries < maxTries; tries++) {
    if (create(path, text)) return { [Symbol.dispose]: () => remove(path, text) };
    const found = textAt(path);
    if (found === undefined) continue;
    const heldBy = ownerIn(found);
    if (heldBy && isAlive(heldBy)) return { heldBy };
    remove(path, found);
  }
  throw new Error(`${path} is no lock file`);
}
