import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/check-layers.mjs', import.meta.url));

let root;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'layers-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function check(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  return { status, stderr };
}

test.each([
  ['harness/wire/arp.ts', "import { judge } from '../judge/judge.ts';", 'harness/wire/ may not import harness/judge/'],
  [
    'harness/model/axes.ts',
    "import { readFileSync } from 'node:fs';",
    'harness/model/ may not import the package node',
  ],
  ['harness/plan/argv.ts', "export * from '../vm/qmp.ts';", 'harness/plan/ may not import harness/vm/'],
  ['harness/plan/argv.ts', "const vm = await import('../vm/qmp.ts');", 'harness/plan/ may not import harness/vm/'],
  ['harness/report/html.ts', "import '../cli/main.ts';", 'harness/report/ may not import harness/cli/'],
  ['harness/judge/judge.ts', "import type {\n  Plan,\n} from '../plan/argv.ts';", 'may not import harness/plan/'],
  ['harness/vm/host.ts', "import pino from 'pino';", 'may not import the package pino'],
  ['harness/vm/host.ts', "import x from '../../scripts/x.mjs';", 'may not import scripts/'],
  ['harness/extra/new.ts', "import { z } from 'zod';", 'harness/extra/ has no row'],
  [
    'scenarios/x86.ts',
    "import { expand } from '../harness/matrix/expand.ts';",
    'scenarios/ may not import harness/matrix/',
  ],
])('%s with %s is refused', (file, text, message) => {
  const { status, stderr } = check(file, text);
  expect(stderr).toContain(message);
  expect(stderr).toContain(file);
  expect(status).toBe(1);
});

test.each([
  ['harness/run/run-case.ts', "import { judge } from '../judge/judge.ts';\nimport { join } from 'node:path';"],
  [
    'harness/judge/deep/rule.ts',
    "import { rules } from '../../observe/rules.ts';\nimport { other } from '../other.ts';",
  ],
  ['harness/index.ts', "export { defineMatrix } from './matrix/define-matrix.ts';"],
  ['scenarios/x86.ts', "import { defineMatrix } from 'netboot-harness';"],
  ['harness/wire/arp.ts', "// import { judge } from '../judge/judge.ts';\n/* from '../vm/qmp.ts' */"],
])('%s with %s is allowed', (file, text) => {
  expect(check(file, text)).toEqual({ status: 0, stderr: '' });
});
