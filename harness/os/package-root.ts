import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with this program's package.json: the root of the checkout or of the installed package. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** The compiled command-line script; a checkout has it after its first build. */
export const mainScript = (root: string): string => join(root, '.build', 'harness', 'cli', 'main.js');
