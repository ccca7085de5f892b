#!/usr/bin/env node
// Runs the command line from a checkout: installs npm packages and compiles if needed.
// `--set-up` as the first argument does the full set-up first.
import { pathToFileURL } from 'node:url';
import { inCheckout, runScript } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';
import { installNpmPackages } from './setup/npm-packages.mjs';

await runScript(async () => {
  const wantsSetUp = process.argv[2] === '--set-up';
  const argv = process.argv.slice(wantsSetUp ? 3 : 2);
  if (wantsSetUp) {
    // Loaded on demand: few commands need it.
    const { setUp } = await import('./setup/set-up.mjs');
    await setUp();
  } else {
    installNpmPackages();
    compile();
  }
  // In the same process: signals, terminal and exit code are the command line's own.
  const main = inCheckout('.build/harness/cli/main.js');
  process.argv = [process.execPath, main, ...argv];
  await import(pathToFileURL(main).href);
});
