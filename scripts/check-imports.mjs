#!/usr/bin/env node
// Fails if a script imports what is not there. Scripts have no types to check, and some run only once in a while.
import { spawnSync } from 'node:child_process';
import { checkout, inCheckout, runScript, SetUpError, say } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';

/** What TypeScript says of imports: no such module, or no such export in one of four wordings; 5xxx is about its settings. */
const counts = /error TS(2307|2305|2459|2614|2724|5\d{3}):/;

await runScript(() => {
  // Scripts import what is compiled.
  compile();
  const args = ['-p', 'scripts', '--pretty', 'false'];
  const { stdout, error } = spawnSync(inCheckout('node_modules/.bin/tsc'), args, { cwd: checkout, encoding: 'utf8' });
  if (error) throw new SetUpError(error.message);
  const wrong = stdout.split('\n').filter((line) => counts.test(line));
  for (const line of wrong) say(line);
  process.exitCode = wrong.length > 0 ? 1 : 0;
});
