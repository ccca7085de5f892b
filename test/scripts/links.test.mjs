import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: checkout, encoding: 'utf8' }).trim().split('\n');

/** Relative targets of Markdown links, and files of the house named in code, such as `plan/url.ts`. */
function namedFiles(page) {
  const text = readFileSync(join(checkout, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].map(([, to]) =>
    join(dirname(page), to),
  );
  const folders =
    '(?:model|matrix|assets|resolve|predict|plan|wire|services|vm|observe|judge|run|report|compare|cli|os)';
  const inHarness =
    page === 'harness/README.md' ? [...text.matchAll(new RegExp(`\`(${folders}/[\\w./-]+\\.ts)\``, 'g'))] : [];
  return [...links, ...inHarness.map(([, file]) => `harness/${file}`)];
}

describe.each(pages)('%s', (page) => {
  it('names files that are there', () => {
    expect(namedFiles(page).filter((file) => !existsSync(join(checkout, file)))).toEqual([]);
  });
});

it('harness/README.md names the files of a walk through the house', () => {
  expect(namedFiles('harness/README.md').length).toBeGreaterThan(20);
});
