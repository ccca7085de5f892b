#!/usr/bin/env node
// Set-up (unless `--no-set-up`), then vitest with the given arguments; the last line has the counts.
import { readFileSync, rmSync } from 'node:fs';
import { checkout, inCheckout, runScript } from './setup/checkout.mjs';
import { runForeground } from './setup/foreground.mjs';
import { setUp } from './setup/set-up.mjs';
import { countsFile } from './test-counts.mjs';

function readCounts() {
  try {
    return JSON.parse(readFileSync(countsFile, 'utf8'));
  } catch {
    // Vitest ended before it could count: that is a failure in itself.
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

await runScript(async () => {
  const argv = process.argv.slice(2);
  const vitestArgs = argv.filter((arg) => arg !== '--no-set-up');
  if (vitestArgs.length === argv.length) await setUp({ tests: true });
  rmSync(countsFile, { force: true });
  const reporters = ['--reporter=default', `--reporter=${inCheckout('scripts/test-counts.mjs')}`];
  const vitest = inCheckout('node_modules/vitest/vitest.mjs');
  const exitCode = await runForeground(process.execPath, [vitest, 'run', ...reporters, ...vitestArgs], checkout);
  const { passed, failed, skipped } = readCounts();
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`);
  process.exitCode = exitCode === 0 && failed > 0 ? 1 : exitCode;
});
