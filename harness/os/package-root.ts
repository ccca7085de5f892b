import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with this program's package.json: a checkout's root, or the installed package. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** The command line's script, compiled; a checkout has it once it was compiled. */
export const mainScript = (root: string): string => join(root, '.build', 'harness', 'cli', 'main.js');
