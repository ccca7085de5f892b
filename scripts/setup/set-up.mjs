import { pathToFileURL } from 'node:url';
import { buildPayloads } from '../payloads/build-payloads.mjs';
import { cacheFolder as cacheDir, inCheckout, say } from './checkout.mjs';
import { compile } from './compile.mjs';
import { lock } from './lock.mjs';
import { installNpmPackages } from './npm-packages.mjs';

/**
 * Sets up the checkout so that every case, and with `tests` every test, can run. Quick if nothing is missing. From
 * compilation on, it is the code of `netboot install --with-deps`.
 */
export async function setUp({ refresh = false, record = false, tests = false } = {}) {
  installNpmPackages();
  compile();
  const { setUpCheckout } = await import(pathToFileURL(inCheckout('.build/harness/install/set-up-checkout.js')).href);
  const unlock = lock();
  try {
    await setUpCheckout({ cacheDir, refresh, record, tests, say });
  } finally {
    unlock();
  }
  // Again: the assembler may have been installed just now.
  buildPayloads();
}
