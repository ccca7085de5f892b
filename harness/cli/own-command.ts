import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join, relative, sep } from 'node:path';
import { shellWord } from '../model/shell-word.ts';
import { mainScript } from '../os/package-root.ts';
import { commandNames } from './command-names.ts';

export interface Surroundings {
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** This program's package. */
  root: string;
}

const isSame = (path: string, other: string): boolean =>
  existsSync(path) && existsSync(other) && realpathSync(path) === realpathSync(other);

const isBelow = (path: string, folder: string): boolean => relative(folder, path).split(sep)[0] !== '..';

/** npm and npx prepend node_modules/.bin folders, which the user's shell does not have. */
const isNpmsOwn = (folder: string): boolean => folder.endsWith(join('node_modules', '.bin')) || folder.includes('_npx');

function isInPath(name: string, target: string, { PATH: path = '' }: NodeJS.ProcessEnv): boolean {
  const found = path.split(delimiter).find((folder) => !isNpmsOwn(folder) && existsSync(join(folder, name)));
  return found !== undefined && isSame(join(found, name), target);
}

/** Whether npx finds the program, in the nearest node_modules that has it. */
function isNpxs(folder: string, main: string): boolean {
  if (isSame(join(folder, 'node_modules', '.bin', 'netboot'), main)) return true;
  return dirname(folder) !== folder && isNpxs(dirname(folder), main);
}

/**
 * The shortest shell command that starts this very program from the current folder. Printed commands begin with it.
 */
export function ownCommand({ env, cwd, root }: Surroundings): string {
  const main = mainScript(root);
  if (isInPath('netboot', main, env)) return 'netboot';
  if (isNpxs(cwd, main)) return 'npx netboot';
  const node = isInPath('node', process.execPath, env) ? 'node' : shellWord(process.execPath);
  // Only in a checkout: it compiles what has changed.
  const ofCheckout = join(root, 'scripts', 'netboot.mjs');
  if (!existsSync(ofCheckout)) return `${node} ${shellWord(main)}`;
  return isBelow(cwd, root) ? 'npm run -s netboot --' : `${node} ${shellWord(ofCheckout)}`;
}

const typed = new RegExp(`\\bnetboot (?=(?:${commandNames.join('|')}|--help)\\b)`, 'g');

/** Rewrites commands in a text (`netboot list`) to what the user has to type. */
export const asTyped = (text: string, command: string): string => text.replace(typed, () => `${command} `);
