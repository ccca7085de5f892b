import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with this program's package.json: a checkout's root, or the installed package. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Where fetched artefact sets and remembered facts live: `NETBOOT_CACHE`, a checkout's own, or the user's. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const { NETBOOT_CACHE: own, XDG_CACHE_HOME: userCache } = env;
  if (own) return own;
  const ofCheckout = join(packageRoot(), '.cache');
  return existsSync(ofCheckout) ? ofCheckout : join(userCache || join(homedir(), '.cache'), 'netboot-harness');
}
