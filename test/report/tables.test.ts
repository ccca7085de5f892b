import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { tablesMarkdown } from '../../harness/report/tables.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the tables of scenarios/README.md', () => {
  const stored = runResultSchema.parse(JSON.parse(read('fixtures/runs/default/results.json')));

  it('are what the stored run renders to', () => {
    expect(read('scenarios/README.md')).toContain(tablesMarkdown(stored));
  });

  it('say of a repeated run how many rounds there were, and whether they agreed', () => {
    const notes = ['all cells agree with themselves over 2 repeats'];
    const totals = Object.fromEntries(Object.entries(stored.totals).map(([status, count]) => [status, 2 * count]));
    const once = { ...stored, totals: { ...stored.totals, passed: stored.cases.length, 'not-run': 0 } };
    const twice = tablesMarkdown({ ...stored, totals: totals as typeof stored.totals, notes });
    expect(twice).toContain(`${stored.cases.length} cells in`);
    expect(twice).toContain('Note: all cells agree with themselves over 2 repeats.');
    expect(tablesMarkdown({ ...once, notes: [] })).not.toMatch(/rounds|Note/);
  });

  it('name the packages the run was made with', () => {
    expect(tablesMarkdown(stored)).toMatch(/ovmf \d.*qemu-efi-aarch64 \d/);
  });
});
