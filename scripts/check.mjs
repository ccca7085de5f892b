#!/usr/bin/env node
// Format, lint, types, imports, layering, dead code: all are run, even if one fails.
import { checkout, inCheckout, runScript, say } from './setup/checkout.mjs';
import { runForeground } from './setup/foreground.mjs';
import { installNpmPackages } from './setup/npm-packages.mjs';

const bin = (name) => inCheckout('node_modules/.bin', name);
const checks = [
  {
    name: 'format and lint',
    program: bin('biome'),
    args: ['check', '--error-on-warnings', '--no-errors-on-unmatched'],
  },
  { name: 'types', program: bin('tsc'), args: ['--noEmit', '-p', 'tsconfig.json'] },
  { name: "types of the report's page", program: bin('tsc'), args: ['--noEmit', '-p', 'harness/report/html/page'] },
  { name: 'imports of scripts', program: process.execPath, args: [inCheckout('scripts/check-imports.mjs')] },
  { name: 'layering', program: process.execPath, args: [inCheckout('scripts/check-layers.mjs')] },
  { name: 'dead code', program: bin('knip'), args: [] },
];

await runScript(async () => {
  installNpmPackages();
  const failed = [];
  for (const { name, program, args } of checks) {
    const exitCode = await runForeground(program, args, checkout);
    say(`${exitCode === 0 ? 'ok    ' : 'FAILED'} ${name}`);
    if (exitCode !== 0) failed.push(name);
  }
  if (failed.length > 0) say(`check failed: ${failed.join(', ')}`);
  process.exitCode = failed.length > 0 ? 1 : 0;
});
