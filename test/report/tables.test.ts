import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { firstRound, tablesMarkdown } from '../../harness/report/tables.ts';
import { countStatuses } from '../../harness/run/run-summary.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

describe('the tables of scenarios/README.md', () => {
  const stored = runResultSchema.parse(JSON.parse(read('fixtures/runs/default/results.json')));

  it('are what the stored run renders to', () => {
    expect(read('scenarios/README.md')).toContain(tablesMarkdown(stored));
  });

  it('have each cell of a repeated run once, and say how many rounds there were and whether they agreed', () => {
    const passed = stored.cases.filter(({ verdict }) => verdict.status === 'passed').slice(0, 3);
    const rounds = [...passed, ...passed.map((one) => ({ ...one, id: `${one.id}~2`, round: 2 }))];
    const run = { ...stored, cases: rounds, totals: countStatuses(rounds), notes: ['all 3 cells agree'] };
    const tables = tablesMarkdown(firstRound(run));
    expect(tables).toContain('3 cells in 2 rounds, of which the rows show the first. 6 cases: 6 passed.');
    expect(tables).toContain('Note: all 3 cells agree.');
    expect(tables.match(/✅/g)).toHaveLength(3);
  });

  it('name the packages the run was made with', () => {
    expect(tablesMarkdown(stored)).toMatch(/ovmf \d.*qemu-efi-aarch64 \d/);
  });
});
