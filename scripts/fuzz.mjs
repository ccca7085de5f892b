#!/usr/bin/env node
// Runs the properties of test/fuzz/ for as long as asked: `npm run -s fuzz -- [TARGET…] --runs N --seed S`.
import { parseArgs } from 'node:util';
import { runTarget, targetsOf } from './fuzz/targets.mjs';
import { runScript, SetUpError, say } from './setup/checkout.mjs';
import { installNpmPackages } from './setup/npm-packages.mjs';

const usage = `Usage: npm run -s fuzz -- [TARGET…] [options]

Feeds random, mutated and hostile input to codecs and state machines, and checks that what should hold does: the
properties in test/fuzz/. A failure is shrunk, and printed with the command that repeats it.

  --runs N        runs of each target (default: 10000)
  --seed S        a whole number; the same seed makes the same inputs (default: a new one each time)
  --minutes M     stop after this long, shared evenly by the targets, however many runs are left
  --list          print the targets
  --json          the outcomes as JSON on standard output
  --help

Exit code: 0 if every property held, 1 otherwise.`;

const options = {
  runs: { type: 'string', default: '10000' },
  seed: { type: 'string' },
  minutes: { type: 'string' },
  list: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
};

const refused = (problem) => new SetUpError(`${problem}\n\n${usage}`, 2);

function given() {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw refused(error.message);
  }
}

function numberOf(name, text, { min, whole = true }) {
  const number = Number(text);
  if (text.trim() === '' || !(number >= min) || (whole && !Number.isSafeInteger(number)))
    throw refused(`--${name}: expected a ${whole ? 'whole ' : ''}number of at least ${min}; got ${text}`);
  return number;
}

function chosen(all, names) {
  const unknown = names.find((name) => !all.some((target) => target.name === name));
  if (unknown !== undefined)
    throw refused(`there is no target ${unknown}; targets: ${all.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

function lineOf({ target, runs, inputs, ms, failure }) {
  const speed = Math.round((inputs * 1000) / Math.max(1, ms));
  const what = `${target}: ${runs} runs, ${inputs} inputs in ${(ms / 1000).toFixed(1)} s, ${speed} a second`;
  return failure === undefined ? what : `${what}: FAILED`;
}

const repeatOf = ({ target, seed, runs }) => `npm run -s fuzz -- ${target} --seed ${seed} --runs ${runs}`;

await runScript(async () => {
  const { values, positionals } = given();
  if (values.help) return void process.stdout.write(`${usage}\n`);
  installNpmPackages();
  const all = await targetsOf();
  if (values.list) {
    for (const { name, holds } of all) process.stdout.write(`${name}: ${holds}\n`);
    return;
  }
  const targets = chosen(all, positionals);
  const runs = numberOf('runs', values.runs, { min: 1 });
  const seed = values.seed === undefined ? Date.now() % 0x7fff_ffff : numberOf('seed', values.seed, { min: 0 });
  const minutes =
    values.minutes === undefined ? undefined : numberOf('minutes', values.minutes, { min: 0, whole: false });
  const forMs = minutes === undefined ? undefined : (minutes * 60_000) / targets.length;
  const outcomes = [];
  for (const { name } of targets) {
    const outcome = await runTarget({ name, runs, seed, forMs });
    outcomes.push(outcome);
    say(lineOf(outcome));
    if (outcome.failure !== undefined) say(`${outcome.failure}\nrepeat with: ${repeatOf(outcome)}`);
  }
  const failed = outcomes.filter(({ failure }) => failure !== undefined);
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, outcomes }, null, 2)}\n`);
  else {
    const inputs = outcomes.reduce((sum, outcome) => sum + outcome.inputs, 0);
    process.stdout.write(`${targets.length} targets, ${inputs} inputs, seed ${seed}: ${failed.length} failed\n`);
  }
  if (failed.length > 0) process.exitCode = 1;
});
