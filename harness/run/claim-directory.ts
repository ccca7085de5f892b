import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import { writeRecord } from './case-directory.ts';
import { casesFolder, type RunRecord, runRecordFile } from './run-directory.ts';

const runsFolder = '.runs';

/** Creates a folder; undefined if the name is taken. */
function makeAlone(folder: string): string | undefined {
  try {
    mkdirSync(folder);
    return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
}

/** A folder named by the start time, plus a number if another run started within the same second. */
function makeNamedByTime(startedAt: string): string {
  const name = startedAt.slice(0, 19).replaceAll(':', '-');
  mkdirSync(runsFolder, { recursive: true });
  for (let nth = 1; ; nth++) {
    const made = makeAlone(resolve(runsFolder, nth === 1 ? name : `${name}-${nth}`));
    if (made !== undefined) return made;
  }
}

function makeRunFolders(outDir: string | undefined, startedAt: string): { folder: string; isOurs: boolean } {
  try {
    const folder = outDir === undefined ? makeNamedByTime(startedAt) : resolve(outDir);
    mkdirSync(folder, { recursive: true });
    return { folder, isOurs: makeAlone(join(folder, casesFolder)) !== undefined };
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException;
    const path = outDir ?? resolve(runsFolder);
    const hint = 'Choose another folder with --out.';
    if (['EEXIST', 'ENOTDIR'].includes(code)) {
      throw new HarnessError('bad-run-directory', `${path}: expected a folder, but it or a parent is a file`, {
        hint,
        cause,
      });
    }
    throw new HarnessError('disk', `${path}: cannot be created: ${message}`, { hint, cause });
  }
}

/**
 * Creates the directory of a new run, claims it and writes the run's record into it; without `outDir` it is named by the
 * time. Creating the folder of cases is the claim: only one of two runs can. Resolves to the absolute path.
 */
export async function claimRunDirectory(record: RunRecord, outDir?: string): Promise<string> {
  const { folder, isOurs } = makeRunFolders(outDir, record.startedAt);
  if (!isOurs) {
    throw new HarnessError('bad-run-directory', `${folder}: it already holds a run`, {
      hint: 'Choose another folder with --out, or leave it out; --resume resumes a run that was interrupted.',
    });
  }
  await writeRecord(join(folder, runRecordFile), record);
  return folder;
}
