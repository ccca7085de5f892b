#!/usr/bin/env node
// Measures the harness against plain QEMU with its user-mode network, in turn, and prints medians and ratios.
// bench.mjs [--rounds N] [--json] [NAME…]: names are those of the benchmarks in bench/benchmarks.mjs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScript, SetUpError, say } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';
import { installNpmPackages } from './setup/npm-packages.mjs';

const defaultRounds = 5;

function readArguments(names) {
  const options = { rounds: { type: 'string', default: String(defaultRounds) }, json: { type: 'boolean' } };
  const { values, positionals } = parseArgs({ options, allowPositionals: true });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new SetUpError('--rounds takes a whole number from 1', 2);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new SetUpError(`no such benchmark: ${unknown.join(', ')}; there are ${names}`, 2);
  return { rounds, json: values.json ?? false, chosen: positionals.length > 0 ? positionals : names };
}

await runScript(async () => {
  installNpmPackages();
  compile();
  const { benchmarks } = await import('./bench/benchmarks.mjs');
  const { hostFacts, printReport, summarised } = await import('./bench/report.mjs');
  const { rounds, json, chosen } = readArguments(Object.keys(benchmarks));
  const scratch = mkdtempSync(join(tmpdir(), 'netboot-bench-'));
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
  // Guests end with this process.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const results = [];
  for (const name of chosen) {
    say(`${name}: ${rounds} rounds`);
    const measured = await benchmarks[name]({ rounds, scratch }).catch((error) => ({ failure: error.message }));
    results.push({ name, ...measured });
  }
  const report = { rounds, host: hostFacts(), results: results.map(summarised) };
  if (json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else printReport(rounds, results);
  if (results.some(({ failure }) => failure)) process.exitCode = 1;
});
