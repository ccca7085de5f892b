import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isMatrixProgram } from '../matrix/load-matrix.ts';
import { HarnessError } from '../model/errors.ts';
import { type Reach, reachOf } from '../model/reach.ts';
import type { Scenario } from '../model/scenario.ts';
import { printable } from '../report/printable.ts';

export const trustFlag = '--trust';
export const trustHelp = 'allow what reaches beyond the guest: QEMU arguments, files elsewhere, programs as matrices';

/** Resolves symbolic links in a path, as far as it exists. */
function realPathOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(realPathOf(dirname(path)), relative(dirname(path), path));
}

function isInside(path: string, folder: string): boolean {
  const [first] = relative(realPathOf(folder), realPathOf(path)).split(sep);
  return first !== '..';
}

/** The enclosing checkout: the nearest folder upwards with a `.git`. */
function checkoutOf(folder: string): string | undefined {
  if (existsSync(join(folder, '.git'))) return folder;
  return dirname(folder) === folder ? undefined : checkoutOf(dirname(folder));
}

/**
 * A matrix in TypeScript or JavaScript is a program that can do anything when loaded: those in the checkout around `cwd`
 * are run, others need trust.
 * @throws HarnessError `untrusted`
 */
export function refuseForeignProgram(file: string, cwd: string, trust: boolean): void {
  if (trust || !isMatrixProgram(file)) return;
  const checkout = checkoutOf(cwd);
  if (checkout !== undefined && isInside(resolve(cwd, file), checkout)) return;
  const where = checkout === undefined ? 'and this folder is in no git checkout' : `and lies outside ${checkout}`;
  throw new HarnessError('untrusted', `${file}: a matrix in TypeScript or JavaScript is a program, ${where}`, {
    hint: `Read it first; ${trustFlag} runs it. A matrix in JSON is data, and needs no trust for most things.`,
  });
}

const shown = 8;

/** Reach of a scenario outside `folder`; paths inside it are fine. */
function strangeReach(scenario: Scenario, folder: string): Reach[] {
  const isHome = ({ value, isPath }: Reach) => isPath && isAbsolute(value) && isInside(value, folder);
  return reachOf(scenario).filter((reach) => !isHome(reach));
}

export interface Origin {
  /** The file or directory the scenarios come from, as the user named it. */
  source: string;
  /** Files in here came with the scenarios. */
  folder: string;
}

/**
 * Refuses untrusted scenarios that reach beyond the guest, and lists where they do.
 * @throws HarnessError `untrusted`
 */
export function refuseReach(scenarios: readonly Scenario[], { source, folder }: Origin, trust: boolean): void {
  if (trust) return;
  const lines = scenarios
    .flatMap((scenario) => strangeReach(scenario, folder))
    .map(({ key, value }) => `  ${printable(key)}: ${printable(value)}`);
  const distinct = [...new Set(lines)];
  if (distinct.length === 0) return;
  const more = distinct.length > shown ? [`  … and ${distinct.length - shown} more`] : [];
  const message = [`${source}: what it asks for reaches beyond the guest:`, ...distinct.slice(0, shown), ...more];
  throw new HarnessError('untrusted', message.join('\n'), {
    hint: `QEMU arguments and files outside ${folder} need ${trustFlag}; give it once you have read the file.`,
    details: { source, reach: distinct },
  });
}
