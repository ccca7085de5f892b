import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from './package-root.ts';

/** Where fetched artefact sets and cached facts live: `NETBOOT_CACHE`, the checkout's cache, or the user's. */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const { NETBOOT_CACHE: own, XDG_CACHE_HOME: userCache } = env;
  if (own) return own;
  const ofCheckout = join(packageRoot(), '.cache');
  return existsSync(ofCheckout) ? ofCheckout : join(userCache || join(homedir(), '.cache'), 'netboot-harness');
}
