import { statSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Identifies a file in its present state, by path, inode, size and times: replacing or rewriting it, as a package manager
 * does, changes the identity. Throws what `stat` throws, and for anything but a regular file.
 */
export function fileIdentity(path: string): string {
  // Synchronous: it takes microseconds, and a matrix asks thousands of times.
  const stat = statSync(path);
  if (!stat.isFile()) throw new Error('not a regular file');
  return `${resolve(path)}|${stat.ino}|${stat.size}|${stat.mtimeMs}|${stat.ctimeMs}`;
}
