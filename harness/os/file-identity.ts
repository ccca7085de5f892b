import { statSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Names a file in the state that it is in: by path, inode, size and times. Whoever replaces or rewrites it, a package
 * manager among them, changes the name. Throws what `stat` throws, and for what is no regular file.
 */
export function fileIdentity(path: string): string {
  // Not asynchronously: it takes microseconds, and a whole matrix asks thousands of times.
  const stat = statSync(path);
  if (!stat.isFile()) throw new Error('not a regular file');
  return `${resolve(path)}|${stat.ino}|${stat.size}|${stat.mtimeMs}|${stat.ctimeMs}`;
}
