import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as compare from '../../harness/compare/compare.ts';
import * as join from '../../harness/compare/join.ts';
import * as outcome from '../../harness/compare/outcome.ts';
import { axisText } from '../../harness/model/axis-text.ts';
import { runResultSchema } from '../../harness/model/verdict.ts';
import * as comparison from '../../harness/report/comparison.ts';
import * as configurations from '../../harness/report/configurations.ts';
import * as markdown from '../../harness/report/markdown.ts';
import * as runFacts from '../../harness/report/run-facts.ts';
import { countStatuses } from '../../harness/run/records/run-summary.ts';
import { hardshipTable } from '../../scripts/hardship-table.mjs';
import { firstRound, readmeTables } from '../../scripts/readme-tables.mjs';
import { recordedLengths } from '../../scripts/recorded-lengths.mjs';

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const views = { ...configurations, ...markdown, ...runFacts, ...comparison, ...compare, ...join, ...outcome, axisText };
const tablesOf = (result) => readmeTables(result, views);

describe('the tables of scenarios/README.md', () => {
  const stored = runResultSchema.parse(JSON.parse(read('fixtures/runs/default/results.json')));

  it('are what the stored run renders to', () => {
    expect(read('scenarios/README.md')).toContain(tablesOf(stored));
  });

  it('agree with the recorded lengths of the cells', () => {
    expect(read('scenarios/recorded-lengths.ts')).toBe(recordedLengths(stored));
  });

  it('count each cell of a repeated run once, and say how many rounds there were and whether they agreed', () => {
    const passed = stored.cases.filter(({ verdict }) => verdict.status === 'passed').slice(0, 3);
    const rounds = [...passed, ...passed.map((one) => ({ ...one, id: `${one.id}~2`, round: 2 }))];
    const run = { ...stored, cases: rounds, totals: countStatuses(rounds), notes: ['all 3 cells agree'] };
    const tables = tablesOf(firstRound(run));
    expect(tables).toContain('3 cells in 2 rounds. 6 cases: 6 passed.');
    expect(tables).toContain('Note: all 3 cells agree.');
    const [first] = passed;
    const nic = first.scenario.nic;
    expect(tables).toMatch(new RegExp(`\`${nic}\`.* ✅ \\|`));
  });

  it('say what a release changed, cell by cell', () => {
    const tables = tablesOf(stored);
    expect(tables).toMatch(
      /\| `no-random-source`, virtio-net-pci, none, snponly \| boots \| stops at dhcp .* \| stops at dhcp/,
    );
    const mended = stored.cases.map((one) =>
      one.scenario.randomSource === false
        ? { ...one, verdict: { ...one.verdict, stoppedAt: null, failure: null } }
        : one,
    );
    expect(tablesOf({ ...stored, cases: mended })).not.toContain('| `no-random-source`');
  });

  it('show what each boot chain survived in the stored run', () => {
    const hardship = runResultSchema.parse(JSON.parse(read('fixtures/runs/hardship/results.json')));
    const shown = hardshipTable(hardship, views);
    expect(read('scenarios/README.md')).toContain(shown);
    const [first] = hardship.cases;
    const verdict = { ...first.verdict, status: 'failed', stoppedAt: 'nbp' };
    expect(hardshipTable({ ...hardship, cases: [{ ...first, verdict }] }, views)).toMatch(/\| 🛑 nbp \|/);
  });

  it('name the transport of each fetch, and compare only chains that have the same', () => {
    const hardship = runResultSchema.parse(JSON.parse(read('fixtures/runs/hardship/results.json')));
    const shown = hardshipTable(hardship, views);
    const mixed = hardship.cases.filter(({ scenario }) => typeof scenario.transport === 'object');
    const names = new Set(mixed.map(({ scenario }) => axisText(scenario, 'transport')));
    expect(names.size).toBeGreaterThan(1);
    const headers = shown.split('\n').filter((line) => line.startsWith('|  |'));
    for (const name of names) expect(headers.filter((line) => line.includes(` by ${name}`))).toHaveLength(1);
    const transports = new Set(
      hardship.cases.map(({ scenario: one }) => {
        const client = ['grub', 'pxelinux'].includes(one.secondStage) ? 'of the loader' : 'of firmware and iPXE';
        return `${axisText(one, 'transport')} ${one.ipVersion} ${client}`;
      }),
    );
    expect(headers).toHaveLength(transports.size);
    expect(read('scenarios/README.md')).not.toContain('object Object');
  });

  it('show no time for a boot that got there and yet failed', () => {
    const hardship = runResultSchema.parse(JSON.parse(read('fixtures/runs/hardship/results.json')));
    const booted = hardship.cases.find(({ verdict }) => verdict.stoppedAt === null);
    const failed = { ...booted, verdict: { ...booted.verdict, status: 'failed' } };
    expect(hardshipTable({ ...hardship, cases: [failed] }, views)).toMatch(/\| failed \|/);
  });

  it('name the packages the run was made with', () => {
    expect(tablesOf(stored)).toMatch(/ovmf \d.*qemu-efi-aarch64 \d/);
  });
});
