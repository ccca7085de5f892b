#!/usr/bin/env node
// Fails when a folder of the harness imports what its row does not name. `check-layers.mjs [ROOT]`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { checkout, say } from './setup/checkout.mjs';

const upToRun = [
  'model',
  'os',
  'matrix',
  'assets',
  'resolve',
  'predict',
  'plan',
  'wire',
  'services',
  'vm',
  'observe',
  'judge',
];

/** What each folder may import beside itself: folders of the harness, and packages (`node` is all of node:*). */
const rows = {
  'harness/model': { folders: [], packages: ['zod', 'fastest-levenshtein'] },
  'harness/os': { folders: ['model'], packages: ['node', 'execa', 'zod'] },
  'harness/matrix': { folders: ['model', 'os'], packages: ['node', 'zod', 'jiti'] },
  'harness/assets': { folders: ['model', 'os'], packages: ['node', 'zod', 'execa'] },
  'harness/resolve': { folders: ['model', 'assets'], packages: ['node', 'zod'] },
  'harness/predict': { folders: ['model', 'assets'], packages: [] },
  'harness/plan': { folders: ['model'], packages: [] },
  'harness/wire': { folders: ['model'], packages: ['node', 'dhcp'] },
  'harness/services': {
    folders: ['model', 'wire', 'os'],
    packages: ['node', 'execa', '@peculiar/x509', 'reflect-metadata'],
  },
  'harness/vm': { folders: ['model', 'os'], packages: ['node', 'zod', 'execa'] },
  'harness/observe': { folders: ['model'], packages: ['@xterm/headless'] },
  'harness/judge': { folders: ['model', 'observe'], packages: [] },
  'harness/run': { folders: upToRun, packages: ['node', 'zod', 'p-retry'] },
  'harness/compare': { folders: ['model'], packages: ['node'] },
  'harness/report': { folders: ['model', 'compare', 'os'], packages: ['node'] },
  'harness/cli': {
    folders: ['run', 'report', 'compare', 'predict', 'plan', 'matrix', 'model', 'assets', 'judge'],
    packages: ['node', 'commander'],
  },
  /** harness/index.ts, the public face. */
  harness: { folders: ['run', 'report', 'plan', 'matrix', 'model', 'assets', 'judge'], packages: [] },
  scenarios: { folders: [], packages: ['netboot-harness'] },
};

const importPattern = /(?:\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\1/g;
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');

const importsOf = (text) => [...withoutComments(text).matchAll(importPattern)].map((match) => match[2]);
const packageOf = (specifier) =>
  specifier.startsWith('node:') ? 'node' : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** The row of a file: its folder below harness/, or harness/ itself, or the top folder. */
function rowOf(file) {
  const [top, second, ...rest] = file.split('/');
  return top === 'harness' && rest.length > 0 ? `${top}/${second}` : top;
}

function complaint(root, file, specifier) {
  const name = rowOf(file);
  const row = rows[name];
  if (row === undefined) return `${file}: ${name}/ has no row in scripts/check-layers.mjs`;
  if (!specifier.startsWith('.')) {
    const wanted = packageOf(specifier);
    return row.packages.includes(wanted) ? undefined : `${file}: ${name}/ may not import the package ${wanted}`;
  }
  const target = rowOf(relative(root, resolve(root, dirname(file), specifier)));
  const allowed = target === name || row.folders.some((folder) => target === `harness/${folder}`);
  return allowed ? undefined : `${file}: ${name}/ may not import ${target}/ (${specifier})`;
}

const root = resolve(process.argv[2] ?? checkout);
const files = ['harness', 'scenarios']
  .filter((folder) => existsSync(`${root}/${folder}`))
  .flatMap((folder) => readdirSync(`${root}/${folder}`, { recursive: true }).map((name) => `${folder}/${name}`))
  .filter((file) => /\.m?[jt]s$/.test(file));
const complaints = files.flatMap((file) =>
  importsOf(readFileSync(`${root}/${file}`, 'utf8')).flatMap((specifier) => complaint(root, file, specifier) ?? []),
);
for (const line of complaints) say(line);
process.exitCode = complaints.length > 0 ? 1 : 0;
