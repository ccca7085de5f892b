#!/usr/bin/env node
// Installs and builds what is missing; `--refresh` fetches the artefact sets again,
// `--record` also writes their versions into harness/install/recorded-packages.json.
import { runScript, say } from './setup/checkout.mjs';
import { setUp } from './setup/set-up.mjs';

await runScript(async () => {
  const given = (flag) => process.argv.includes(flag);
  await setUp({ refresh: given('--refresh'), record: given('--record') });
  say('set-up complete');
});
