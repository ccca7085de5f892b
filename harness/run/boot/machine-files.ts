import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from '../../model/plan.ts';
import { copyPatched } from '../../os/copy-patched.ts';

/** Makes the files that the machine may write to, in the case's directory; they go with the machine. */
export async function makeMachineFiles({ machineFiles = {} }: Plan, directory: string): Promise<AsyncDisposable> {
  const made = Object.keys(machineFiles).map((name) => join(directory, name));
  const remove = async (): Promise<void> => {
    for (const path of made) await rm(path, { force: true });
  };
  try {
    for (const [name, file] of Object.entries(machineFiles)) await copyPatched(file, join(directory, name));
  } catch (error) {
    await remove();
    throw error;
  }
  return { [Symbol.asyncDispose]: remove };
}
