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

  it('name the packages the run was made with', () => {
    expect(tablesMarkdown(stored)).toMatch(/ovmf \d.*qemu-efi-aarch64 \d/);
  });
});
