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

/** npm and npx put the folders of a package's programs in front; a shell does not have them. */
const isNpmsOwn = (folder: string): boolean => folder.endsWith(join('node_modules', '.bin')) || folder.includes('_npx');

function isInPath(name: string, target: string, { PATH: path = '' }: NodeJS.ProcessEnv): boolean {
  const found = path.split(delimiter).find((folder) => !isNpmsOwn(folder) && existsSync(join(folder, name)));
  return found !== undefined && isSame(join(found, name), target);
}

/** Whether npx finds the program: in the nearest folder with a node_modules that has it. */
function isNpxs(folder: string, main: string): boolean {
  if (isSame(join(folder, 'node_modules', '.bin', 'netboot'), main)) return true;
  return dirname(folder) !== folder && isNpxs(dirname(folder), main);
}

/**
 * What starts this very program from where the user is, as a shell takes it: the shortest that is true. Printed commands
 * begin with it.
 */
export function ownCommand({ env, cwd, root }: Surroundings): string {
  const main = mainScript(root);
  if (isInPath('netboot', main, env)) return 'netboot';
  if (isNpxs(cwd, main)) return 'npx netboot';
  const node = isInPath('node', process.execPath, env) ? 'node' : shellWord(process.execPath);
  // Not in the package: it compiles what has changed.
  const ofCheckout = join(root, 'scripts', 'netboot.mjs');
  if (!existsSync(ofCheckout)) return `${node} ${shellWord(main)}`;
  return isBelow(cwd, root) ? 'npm run -s netboot --' : `${node} ${shellWord(ofCheckout)}`;
}

const typed = new RegExp(`\\bnetboot (?=(?:${commandNames.join('|')}|--help)\\b)`, 'g');

/** A text that names commands (`netboot list`) as the user has to type them. */
export const asTyped = (text: string, command: string): string => text.replace(typed, () => `${command} `);
