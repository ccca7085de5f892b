import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { describe, expect, it } from 'vitest';
import { readerOfFile } from './browser.ts';
import { caseAddress, ids, recordedReport } from './recorded-report.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const reader = readerOfFile();
const report = await recordedReport();

const views = {
  overview: '',
  'a case': caseAddress(ids.refused),
  'a case that booted': caseAddress(ids.linux),
  'a case that was not run': caseAddress(ids.notRun),
  'two attempts side by side': `#compare=${encodeURIComponent(ids.refused)}&with=${encodeURIComponent(ids.refused)}&withAttempt=2`,
};

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each(Object.entries(views))('%s has nothing that axe objects to', async (_, hash) => {
    // The page's own policy refuses every script but its own; axe is to look at it from within.
    const { page } = await reader.open(report, hash, { colorScheme, bypassCSP: true });
    await page.evaluate(axe);
    const results = (await page.evaluate('axe.run()')) as AxeResults;
    const found = results.violations.map(({ id, nodes }) => ({
      id,
      where: nodes.map(({ target }) => target.join(' ')),
    }));
    expect(found).toEqual([]);
  });
});
