#!/usr/bin/env node
// Fails if a folder imports what its row does not name, or a row names what its folder does not import.
import { layerComplaints } from './layers.mjs';
import { checkout, say } from './setup/checkout.mjs';

const below = (...names) => names.map((name) => `harness/${name}`);

const rows = {
  'harness/model': { folders: [], packages: ['zod', 'fastest-levenshtein', 're2js'] },
  'harness/os': { folders: [], packages: ['node', 'execa', 'zod', 'fflate'] },
  'harness/matrix': {
    // The public API too: a matrix file gets it when it imports this package by name.
    folders: [...below('model'), 'harness'],
    packages: ['node', 'zod', 'jiti'],
    computed: { 'harness/matrix/load-matrix.ts': 'harness' },
  },
  'harness/assets': { folders: below('model', 'os'), packages: ['node', 'zod', 'execa'] },
  'harness/install': {
    folders: below('model', 'os'),
    packages: ['node', 'zod', 'execa', 'openpgp', 'xz-decompress', 'tar'],
  },
  'harness/resolve': { folders: below('model', 'assets', 'os'), packages: ['node', 'zod'] },
  'harness/predict': { folders: below('model', 'assets'), packages: [] },
  'harness/plan': { folders: below('model'), packages: [] },
  'harness/wire': { folders: below('model'), packages: ['node', 'dhcp'] },
  'harness/services': {
    folders: below('model', 'wire', 'os'),
    packages: ['node', 'execa', '@peculiar/x509', 'reflect-metadata', 're2js'],
  },
  'harness/vm': { folders: below('model', 'os'), packages: ['node', 'zod', 'execa'] },
  'harness/observe': { folders: below('model'), packages: [] },
  'harness/judge': { folders: below('model', 'observe'), packages: [] },
  'harness/run': {
    folders: below(
      'model',
      'os',
      'assets',
      'resolve',
      'predict',
      'plan',
      'wire',
      'services',
      'vm',
      'observe',
      'judge',
      'run/records',
      'run/bundle',
    ),
    packages: ['node', 'zod', 'p-retry'],
  },
  'harness/run/records': {
    folders: below('model', 'os', 'wire', 'services', 'observe', 'judge'),
    packages: ['node', 'zod'],
  },
  'harness/run/bundle': { folders: below('model', 'os', 'assets', 'plan', 'run/records'), packages: ['node'] },
  'harness/farm': {
    folders: below('model', 'os', 'assets', 'resolve', 'plan', 'run', 'run/records', 'run/bundle', 'vm', 'judge'),
    packages: ['node', 'zod', 'bullmq', 'ioredis'],
  },
  'harness/compare': { folders: below('model'), packages: ['node'] },
  'harness/report': { folders: below('model', 'compare', 'os'), packages: ['node'] },
  // Runs in a browser: nothing from Node, and a terminal to draw consoles.
  'harness/report/html/page': { folders: below('model', 'report'), packages: ['@xterm/headless'] },
  'harness/cli': {
    folders: [
      ...below(
        'run',
        'run/records',
        'run/bundle',
        'farm',
        'report',
        'compare',
        'predict',
        'plan',
        'matrix',
        'model',
        'os',
        'assets',
        'judge',
        'install',
      ),
      'scenarios',
    ],
    packages: ['execa', 'node', 'commander'],
    // The default matrix, compiled next to the harness.
    computed: { 'harness/cli/case-options.ts': 'scenarios' },
  },
  'harness/vitest': {
    folders: below('run', 'run/records', 'report', 'matrix', 'model', 'os'),
    packages: ['node', 'vitest'],
  },
  /** harness/index.ts, the public API. */
  harness: { folders: below('run', 'matrix', 'model', 'assets', 'judge'), packages: [] },
  scenarios: { folders: [], packages: ['netboot-harness'] },
};

const complaints = layerComplaints(checkout, rows);
for (const line of complaints) say(line);
if (complaints.length > 0) say('The rows are in scripts/check-layers.mjs.');
process.exitCode = complaints.length > 0 ? 1 : 0;
