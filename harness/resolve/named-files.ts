import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { HarnessError, systemErrorText } from '../model/errors.ts';
import { type Reach, reachOf } from '../model/reach.ts';
import type { Scenario } from '../model/scenario.ts';

/** Why a path cannot be read; undefined if it can. */
async function faultOf({ value: path, folder }: Reach): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    if (!stats.isFile() && !(folder && stats.isDirectory())) return `is not a file${folder ? ' or folder' : ''}`;
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return ['ENOENT', 'ENOTDIR'].includes(code) ? 'no such file' : `cannot be read: ${systemErrorText(error as Error)}`;
  }
}

/**
 * Checks that host files named by path exist; otherwise only the guest would notice, on requesting them.
 * @throws HarnessError `bad-matrix`
 */
export async function checkNamedFiles(scenario: Scenario): Promise<void> {
  for (const file of reachOf(scenario).filter(({ isPath }) => isPath)) {
    const fault = await faultOf(file);
    if (fault === undefined) continue;
    throw new HarnessError('bad-matrix', `${scenario.id}: ${file.key}: ${file.value}: ${fault}`, {
      hint: 'Create the file or correct its path; paths are relative to the matrix file.',
      details: { scenario: scenario.id, key: file.key, path: file.value },
    });
  }
}
