#!/usr/bin/env node
// Generates the tables of scenarios/README.md and the lengths of cells from runs. A test checks that they agree.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parsed } from './command.mjs';
import { hardshipTable } from './hardship-table.mjs';
import { firstRound, readmeTables } from './readme-tables.mjs';
import { recordedLengths } from './recorded-lengths.mjs';
import { inCheckout, runScript, say } from './setup/checkout.mjs';
import { compile } from './setup/compile.mjs';

const usage = `Usage: npm run -s tables -- [RUN_DIR] [--hardship RUN_DIR]

Writes the tables of scenarios/README.md and the recorded lengths of cells, from stored results.

  RUN_DIR             a run of the default matrix, whose results are stored first
  --hardship RUN_DIR  a run of the cells hard-*, likewise
  --help`;

const options = { run: { type: 'string', argument: true }, hardship: { type: 'string' } };

const stored = {
  tables: inCheckout('fixtures/runs/default/results.json'),
  hardship: inCheckout('fixtures/runs/hardship/results.json'),
};
const lengths = inCheckout('scenarios/recorded-lengths.ts');
const page = inCheckout('scenarios/README.md');

/** A program that set-up fetched, by what it belongs to. */
const programName = (path) => path.replace(/^.*\/programs\/([^/]+)\/.*\/([^/]+)$/, '$2 of $1');

/** Strips the folders of the machine on which the run was made. */
function withoutFolders(result) {
  const qemu = Object.entries(result.host.qemu).map(([program, version]) => [programName(program), version]);
  const cases = result.cases.map(({ run, ...one }) => ({
    ...one,
    run: { ...run, inputs: run.inputs.map((input) => ({ ...input, path: basename(input.path) })) },
  }));
  return { ...result, host: { ...result.host, qemu: Object.fromEntries(qemu) }, cases };
}

async function compiledViews() {
  compile();
  const modules = [
    ...['configurations', 'comparison', 'markdown', 'run-facts'].map((name) => `report/${name}.js`),
    ...['compare', 'join', 'outcome'].map((name) => `compare/${name}.js`),
    'model/axis-text.js',
    'run/records/read-results.js',
  ].map((name) => inCheckout('.build/harness', name));
  return Object.assign({}, ...(await Promise.all(modules.map((file) => import(file)))));
}

function store(which, result) {
  mkdirSync(dirname(stored[which]), { recursive: true });
  writeFileSync(stored[which], `${JSON.stringify(withoutFolders(firstRound(result)))}\n`);
}

/** The page with `text` between the marks of that name. */
function withSection(page, name, text) {
  const marks = { begin: `<!-- ${name}: begin -->`, end: `<!-- ${name}: end -->` };
  const [before, rest] = page.split(marks.begin);
  const after = rest?.split(marks.end)[1];
  if (after === undefined) throw new Error(`the page lacks ${marks.begin} or ${marks.end}`);
  return `${before}${marks.begin}\n\n${text}\n${marks.end}${after}`;
}

await runScript(async () => {
  const given = parsed(process.argv.slice(2), options, usage);
  if (given === undefined) return;
  const views = await compiledViews();
  if (given.run !== undefined) store('tables', views.readResults(given.run));
  if (given.hardship !== undefined) store('hardship', views.readResults(given.hardship));
  const [result, hardship] = ['tables', 'hardship'].map((which) => JSON.parse(readFileSync(stored[which], 'utf8')));
  const text = withSection(readFileSync(page, 'utf8'), 'tables', readmeTables(result, views));
  writeFileSync(page, withSection(text, 'hardship', hardshipTable(hardship, views)));
  writeFileSync(lengths, recordedLengths(result));
  say(`${page} and ${lengths} are up to date`);
});
