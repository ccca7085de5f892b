import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The first block of JSON below a heading of a page in this checkout; without a heading, of the page. */
export function documentedJson(page: string, heading = ''): string {
  const text = readFileSync(fileURLToPath(new URL(`../${page}`, import.meta.url)), 'utf8');
  return /```json\n([\s\S]*?)```/.exec(text.slice(text.indexOf(heading)))?.[1] ?? '';
}

/** The matrix that README.md shows for bug reports. */
export const bugReport = (): string => documentedJson('README.md', '## A bug report as a matrix\n');
