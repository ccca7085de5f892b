import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the libraries of a program unpacked below `root` may be, wherever its distribution puts them. */
export async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const lib of ['usr/lib', 'lib']) {
    const entries = await readdir(join(root, lib), { withFileTypes: true }).catch(() => []);
    folders.push(
      join(root, lib),
      ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, lib, name)),
    );
  }
  return folders;
}
