#!/usr/bin/env node
// Measures the harness against plain QEMU with its user-mode network, alternately, and prints medians and ratios.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runScript, SetUpError, say } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';
import { installNpmPackages } from './setup/npm-packages.mjs';

const defaultRounds = 5;

/** Not about a guest's speed: each has options of its own, and is run alone. */
const others = {
  farm: () => import('./bench/farm.mjs'),
  'farm-simulation': () => import('./bench/farm-simulation.mjs'),
};

const usage = (names) => `usage: npm run -s bench -- [--rounds N] [--json] [NAME…]

Measures the harness against plain QEMU with its user-mode network, alternately, and prints medians and ratios.

  --rounds N  how often to measure each (default: ${defaultRounds})
  --json      the raw figures, with medians and ratios
  NAME        ${names.join(', ')}; default: all

Of a farm: npm run -s bench -- farm, and farm-simulation; each has a --help.`;

function readArguments(names) {
  const options = {
    rounds: { type: 'string', default: String(defaultRounds) },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  };
  const { values, positionals } = parsed(() => parseArgs({ options, allowPositionals: true }), usage(names));
  if (values.help) return { help: usage(names) };
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new SetUpError('--rounds: expected a whole number of at least 1', 2);
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new SetUpError(`no such benchmark: ${unknown.join(', ')}; expected some of ${names.join(', ')}`, 2);
  return { rounds, json: values.json ?? false, chosen: positionals.length > 0 ? positionals : names };
}

/** Unknown options and missing values are reported in Node's words, with the usage. */
function parsed(parse, help) {
  try {
    return parse();
  } catch (error) {
    throw new SetUpError(`${error.message}\n${help}`, 2);
  }
}

await runScript(async () => {
  installNpmPackages();
  compile();
  const [first, ...rest] = process.argv.slice(2);
  if (Object.hasOwn(others, first)) {
    const { run } = await others[first]();
    await run(rest);
    return;
  }
  const { benchmarks } = await import('./bench/benchmarks.mjs');
  const { hostFacts, printReport, summarised } = await import('./bench/report.mjs');
  const { help, rounds, json, chosen } = readArguments(Object.keys(benchmarks));
  if (help !== undefined) {
    process.stdout.write(`${help}\n`);
    return;
  }
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
