import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileIdentity } from './file-identity.ts';

/** Whether a file is a program that this user may run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path of the program that a shell would start by this name, or path; undefined if there is none. */
export function findProgram(name: string, { PATH: path = '' }: NodeJS.ProcessEnv = process.env): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined;
  return programIn(path.split(delimiter), name);
}

/** The path of the program of this name in the first of some folders that has it. */
export const programIn = (folders: readonly string[], name: string): string | undefined =>
  folders.map((folder) => join(folder, name)).find(isProgram);

/** The `fileIdentity` of the program that a shell would start by this name; undefined if there is none, or not any more. */
export function programIdentity(name: string): string | undefined {
  const path = findProgram(name);
  try {
    return path && fileIdentity(path);
  } catch {
    return undefined;
  }
}
