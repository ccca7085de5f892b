import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { layerComplaints } from '../../scripts/layers.mjs';
import { folderOfTest } from '../temporary-folder.ts';

let root;
folderOfTest((made) => {
  root = made;
});

function write(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

/** Complaints about one file, whose folder has this row. */
function check(file, text, row, name = file.split('/').slice(0, 2).join('/')) {
  write(file, text);
  return layerComplaints(root, { [name]: { folders: [], packages: [], ...row } });
}

test('the checkout itself is as its rows say', () => {
  const script = fileURLToPath(new URL('../../scripts/check-layers.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test.each([
  ["import { judge } from '../judge/judge.ts';", 'may not import harness/judge/ (../judge/judge.ts)'],
  ["import type {\n  Plan,\n} from '../plan/argv.ts';", 'may not import harness/plan/'],
  ["export * from '../vm/qmp.ts';", 'may not import harness/vm/'],
  ["const vm = await import('../vm/qmp.ts');", 'may not import harness/vm/'],
  ["import '../cli/main.ts';", 'may not import harness/cli/'],
  ["import x from '../../scripts/x.mjs';", 'may not import scripts/'],
  ["import { defineMatrix } from '../index.ts';", 'may not import harness/ '],
  ["import { readFileSync } from 'node:fs';", 'may not import the package node'],
  ["import pino from 'pino';", 'may not import the package pino'],
  ["import x from '@scope/name/lib/x.js';", 'may not import the package @scope/name'],
  ["const protocol = require('dhcp/lib/protocol.js');", 'may not import the package dhcp'],
  ["require.resolve('dhcp/lib/protocol.js');", 'may not import the package dhcp'],
  ['await import(new URL(`../index.js`, import.meta.url).href);', 'computes what it imports'],
  ['await import(`../index.ts`);', 'computes what it imports'],
  ['require(name);', 'computes what it imports'],
])('%s is refused where the row does not name it', (text, message) => {
  expect(check('harness/wire/arp.ts', text)).toEqual([
    expect.stringContaining(`harness/wire/arp.ts: harness/wire/ ${message}`),
  ]);
});

test.each([
  ["import { judge } from '../judge/judge.ts';", { folders: ['harness/judge'] }],
  ["import { rules } from '../../judge/rules.ts';", { folders: ['harness/judge'] }, 'harness/wire/deep/arp.ts'],
  ["import { other } from './other.ts';", {}],
  ["import { join } from 'node:path';\nimport { z } from 'zod/mini';", { packages: ['node', 'zod'] }],
  ["// import { judge } from '../judge/judge.ts';\n/* await import(name) */", {}],
  ['await import(url.href);', { folders: ['harness'], computed: { 'harness/wire/arp.ts': 'harness' } }],
])('%s is allowed by its row', (text, row, file = 'harness/wire/arp.ts') => {
  expect(check(file, text, row)).toEqual([]);
});

test.each([
  [{ folders: ['harness/judge'] }, 'harness/wire/ does not import harness/judge/'],
  [{ packages: ['zod'] }, 'harness/wire/ does not import the package zod'],
  [{ computed: { 'harness/wire/arp.ts': 'harness' } }, 'harness/wire/arp.ts computes no import'],
])('a row with %j that nothing needs is refused', (row, message) => {
  expect(check('harness/wire/arp.ts', 'export {};', row)).toEqual([expect.stringContaining(message)]);
});

test('what a computed import reaches must be in the row as well', () => {
  const row = { computed: { 'harness/cli/case.ts': 'scenarios' } };
  expect(check('harness/cli/case.ts', 'await import(url.href);', row)).toEqual([
    'harness/cli/case.ts: harness/cli/ may not import scenarios/ (computed)',
  ]);
});

test('a folder without a row and a row without a folder are refused', () => {
  expect(check('harness/extra/new.ts', '', {}, 'harness/gone')).toEqual([
    'harness/extra/new.ts: harness/extra/ has no row',
    'harness/gone/ has a row and no files',
  ]);
});

test('harness/index.ts and scenarios/ have rows of their own', () => {
  write('harness/index.ts', "export { judge } from './judge/judge.ts';");
  write('scenarios/default.ts', "import { defineMatrix } from 'netboot-harness';");
  expect(
    layerComplaints(root, {
      harness: { folders: ['harness/judge'], packages: [] },
      scenarios: { folders: [], packages: ['netboot-harness'] },
    }),
  ).toEqual([]);
});

test('a folder within another may have a row of its own, and is then no part of the other', () => {
  write('harness/report/view.ts', "import { join } from 'node:path';\nimport '../model/plan.ts';");
  write('harness/report/html/page/main.ts', "import { join } from 'node:path';\nimport '../../view.ts';");
  write('harness/model/plan.ts', '');
  const rows = {
    'harness/model': { folders: [], packages: [] },
    'harness/report': { folders: ['harness/model'], packages: ['node'] },
    'harness/report/html/page': { folders: ['harness/report'], packages: [] },
  };
  expect(layerComplaints(root, rows)).toEqual([
    'harness/report/html/page/main.ts: harness/report/html/page/ may not import the package node',
  ]);
});
