import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const { dependencies, devDependencies } = JSON.parse(read('package.json'));
const all = { ...dependencies, ...devDependencies };

test('CONTRIBUTING.md says what each dependency is for, and names none that is not there', () => {
  const [, table = ''] = /## Dependencies\n[\s\S]*?(\|[\s\S]*?)\n\n/.exec(read('CONTRIBUTING.md')) ?? [];
  const rows = table.split('\n').slice(2);
  const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(named.sort()).toEqual(Object.keys(all).sort());
});

test('dependencies are at exact versions', () => {
  for (const version of Object.values(all)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
});
