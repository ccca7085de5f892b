import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { HarnessError } from '../model/errors.ts';
import type { Scenario } from '../model/scenario.ts';

interface NamedFile {
  /** Where the matrix names it. */
  key: string;
  path: string;
  folders?: true;
}

function filesNamedBy({ firmware, rom, secondStage, kernel, initrd, serve = {} }: Scenario): NamedFile[] {
  const code = typeof firmware === 'object' ? firmware.code : undefined;
  const vars = typeof firmware === 'object' ? firmware.vars : undefined;
  const single = {
    'firmware.code': code,
    'firmware.vars': vars,
    'rom.file': typeof rom === 'object' && 'file' in rom ? rom.file : undefined,
    'secondStage.file': typeof secondStage === 'object' ? secondStage.file : undefined,
    'kernel.file': kernel?.file,
    'initrd.file': initrd?.file,
  };
  return [
    ...Object.entries(single).flatMap(([key, path]) => (path === undefined ? [] : [{ key, path }])),
    ...Object.entries(serve).flatMap(([name, file]): NamedFile[] =>
      'path' in file ? [{ key: `serve["${name}"]`, path: file.path, folders: true }] : [],
    ),
  ];
}

/** What keeps a path from being read; undefined where nothing does. */
async function faultOf({ path, folders }: NamedFile): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    if (!stats.isFile() && !(folders && stats.isDirectory())) return `is not a file${folders ? ' or folder' : ''}`;
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'no such file' : `cannot be read: ${message}`;
  }
}

/**
 * Checks that the host files a scenario names by path are there, since a guest could only be told when it asks.
 * @throws HarnessError `bad-matrix`
 */
export async function checkNamedFiles(scenario: Scenario): Promise<void> {
  for (const file of filesNamedBy(scenario)) {
    const fault = await faultOf(file);
    if (fault === undefined) continue;
    throw new HarnessError('bad-matrix', `${scenario.id}: ${file.key}: ${file.path}: ${fault}`, {
      hint: 'Make the file or correct its path; a matrix file names files relative to itself.',
      details: { scenario: scenario.id, key: file.key, path: file.path },
    });
  }
}
