#!/usr/bin/env node
// Installs and builds what is missing; `--refresh` fetches the artefact sets again,
// `--record` also writes their versions into artefacts.json.
import { runScript, say } from './setup/checkout.mjs';
import { setUp } from './setup/set-up.mjs';

await runScript(() => {
  const record = process.argv.includes('--record');
  setUp({ refresh: record || process.argv.includes('--refresh'), record });
  say('set-up complete');
});
