import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

interface Fingerprint {
  readonly sha256: string;
  readonly bytes: number;
}

/** Regular files below a folder, as `find . -type f` names them. Symbolic links are neither served nor followed. */
async function filesBelow(folder: string): Promise<string[]> {
  const files: string[] = [];
  const folders = ['.'];
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of await readdir(join(folder, at), { withFileTypes: true })) {
      const name = `${at}/${entry.name}`;
      if (entry.isDirectory()) folders.push(name);
      else if (entry.isFile()) files.push(name);
    }
  }
  return files;
}

/**
 * One fingerprint for names and contents of all files below a folder: the SHA-256 of what `sha256sum` prints for them in
 * bytewise name order, and their total size.
 */
export async function fingerprintFolder(
  folder: string,
  ofFile: (path: string) => Promise<Fingerprint>,
): Promise<Fingerprint> {
  const names = (await filesBelow(folder)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const list = createHash('sha256');
  let total = 0;
  for (const name of names) {
    const { sha256, bytes } = await ofFile(join(folder, name));
    list.update(`${sha256}  ${name}\n`);
    total += bytes;
  }
  return { sha256: list.digest('hex'), bytes: total };
}
