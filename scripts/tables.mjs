#!/usr/bin/env node
// Generates the tables of scenarios/README.md and the lengths of cells from a run: `npm run tables -- RUN_DIR` stores the
// run's results and writes both; without an argument they are regenerated from the stored results. A test checks that the two agree.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { firstRound, readmeTables } from './readme-tables.mjs';
import { recordedLengths } from './recorded-lengths.mjs';
import { inCheckout, runScript, say } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';

const stored = inCheckout('fixtures/runs/default/results.json');
const lengths = inCheckout('scenarios/recorded-lengths.ts');
const page = inCheckout('scenarios/README.md');
const marks = { begin: '<!-- tables: begin -->', end: '<!-- tables: end -->' };

/** Strips the folders of the machine on which the run was made. */
function withoutFolders(result) {
  const cases = result.cases.map(({ run, ...one }) => ({
    ...one,
    run: { ...run, inputs: run.inputs.map((input) => ({ ...input, path: basename(input.path) })) },
  }));
  return { ...result, cases };
}

async function compiledViews() {
  compile();
  const modules = [
    ...['configurations', 'comparison', 'markdown', 'run-facts'].map((name) => `report/${name}.js`),
    ...['compare', 'join', 'outcome'].map((name) => `compare/${name}.js`),
    'model/axis-text.js',
  ].map((name) => inCheckout('.build/harness', name));
  return Object.assign({}, ...(await Promise.all(modules.map((file) => import(file)))));
}

await runScript(async () => {
  const views = await compiledViews();
  const [runDir] = process.argv.slice(2);
  if (runDir !== undefined) {
    const result = JSON.parse(readFileSync(join(runDir, 'results.json'), 'utf8'));
    mkdirSync(dirname(stored), { recursive: true });
    writeFileSync(stored, `${JSON.stringify(withoutFolders(firstRound(result)))}\n`);
  }
  const text = readFileSync(page, 'utf8');
  const [before, rest] = text.split(marks.begin);
  const after = rest?.split(marks.end)[1];
  if (after === undefined) throw new Error(`${page} lacks ${marks.begin} or ${marks.end}`);
  const result = JSON.parse(readFileSync(stored, 'utf8'));
  const tables = readmeTables(result, views);
  writeFileSync(page, `${before}${marks.begin}\n\n${tables}\n${marks.end}${after}`);
  writeFileSync(lengths, recordedLengths(result));
  say(`${page} and ${lengths} are up to date`);
});
