import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isProgram, programIn } from '../../os/find-program.ts';
import { libraryFolders } from '../../os/library-folders.ts';
import type { Missing } from './artefact-set.ts';

/** A program that can be started: `env` is what it needs to run from where it is. */
export interface FoundCommand {
  readonly path: string;
  readonly env: Record<string, string>;
}

/** Servers live in these, and they are not in every user's PATH. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];
/** `npm run` puts these before all others; the package `dhcp` has a program there that calls itself dhcpd. */
const npmFolder = 'node_modules/.bin';
const unpackedFolders = ['usr/sbin', 'usr/bin', 'sbin', 'bin'];

async function unpacked(name: string, cacheDir: string): Promise<FoundCommand | undefined> {
  const programs = join(resolve(cacheDir), 'programs');
  for (const made of (await readdir(programs).catch(() => [])).sort()) {
    const root = join(programs, made, 'root');
    const path = programIn(
      unpackedFolders.map((folder) => join(root, folder)),
      name,
    );
    if (path !== undefined) return { path, env: { LD_LIBRARY_PATH: (await libraryFolders(root)).join(':') } };
  }
  return undefined;
}

/** A program by path; or by name, in PATH or where servers usually are, or unpacked in the cache. */
export async function findCommand(
  command: string,
  { cacheDir, env }: { cacheDir: string | undefined; env: NodeJS.ProcessEnv },
): Promise<FoundCommand | Missing> {
  if (command.includes('/')) {
    if (isProgram(command)) return { path: command, env: {} };
    return { missing: `${command} is not an executable file` };
  }
  const said = (env.PATH ?? '').split(':').filter((folder) => folder !== '' && !folder.endsWith(npmFolder));
  const folders = [...said, ...systemFolders];
  const path = programIn(folders, command);
  if (path !== undefined) return { path, env: {} };
  const found = cacheDir === undefined ? undefined : await unpacked(command, cacheDir);
  return found ?? { missing: `there is no program ${basename(command)} in PATH, nor has the set-up unpacked one` };
}
