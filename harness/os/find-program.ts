import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path of the program that a shell would start by this name, or path; undefined if there is none. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined;
  const { PATH: path = '' } = process.env;
  return path
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isProgram);
}
