import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { comparePairs } from '../../../harness/compare/compare.ts';
import { joinRuns } from '../../../harness/compare/join.ts';
import { judge } from '../../../harness/judge/judge.ts';
import { parseMatrix } from '../../../harness/matrix/parse-matrix.ts';
import { checkShape } from '../../../harness/model/check-shape.ts';
import { HarnessError } from '../../../harness/model/errors.ts';
import { eventSchema, type HarnessEvent } from '../../../harness/model/events.ts';
import { type Plan, planSchema } from '../../../harness/model/plan.ts';
import { caseResultSchema, type RunResult, runResultSchema } from '../../../harness/model/verdict.ts';
import { parseBoundedJson, recordMaxDepth } from '../../../harness/os/bounded-file.ts';
import { unpackZip } from '../../../harness/os/unpack-zip.ts';
import { writeZip } from '../../../harness/os/write-zip.ts';
import { BadZip } from '../../../harness/os/zip-directory.ts';
import { junitXml } from '../../../harness/report/junit.ts';
import { summaryMarkdown } from '../../../harness/report/summary.ts';
import { bytes, record } from '../arbitraries.ts';
import { mutated, mutation } from '../mutation.ts';
import { target } from '../target.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Ten levels of lists. */
const deep = JSON.parse(`${'['.repeat(10)}${']'.repeat(10)}`) as Json;
const strange: Json[] = [
  ...[null, true, '', 0, -1, 1e308, 2 ** 53, 0.5, [], {}, deep],
  ...[
    'a'.repeat(3000),
    '\ud800',
    '__proto__',
    '(((((',
    '(a+)+$',
    '9999-99-99',
    '../../etc/passwd',
    '%',
    '\u001b[2J',
    '[',
    '*',
  ],
];

interface Edit {
  /** Which child at each level, down to where the change is. */
  readonly path: readonly number[];
  readonly kind: 'replace' | 'remove' | 'add' | 'double';
  readonly value: Json;
}

const edits = fc.array(
  record<Edit>({
    path: fc.array(fc.nat(999), { minLength: 1, maxLength: 8 }),
    kind: fc.constantFrom('replace', 'remove', 'add', 'double'),
    value: fc.constantFrom(...strange),
  }),
  { minLength: 1, maxLength: 4 },
);

function change(value: Json, { path: [choice = 0, ...rest], kind, value: strange }: Edit): void {
  if (typeof value !== 'object' || value === null) return;
  const keys = Object.keys(value);
  const key = keys[choice % Math.max(1, keys.length)];
  const children = value as Record<string, Json>;
  const child = key === undefined ? undefined : children[key];
  if (key !== undefined && rest.length > 0 && typeof child === 'object' && child !== null) {
    change(child, { path: rest, kind, value: strange });
    return;
  }
  if (kind === 'add' || key === undefined)
    Array.isArray(value) ? value.push(strange) : Object.assign(value, { added: strange });
  else if (kind === 'replace') children[key] = strange;
  else if (kind === 'double' && Array.isArray(value)) value.push(child as Json);
  else if (Array.isArray(value)) value.splice(Number(key), 1);
  else delete children[key];
}

/** A copy of a record, changed. */
function changed(original: Json, changes: readonly Edit[]): Json {
  const copy = structuredClone(original);
  for (const one of changes) change(copy, { ...one, value: structuredClone(one.value) });
  return copy;
}

/** What a reader of records makes of it: the value, or undefined where it is refused with a reason. */
function read<T>(schema: Parameters<typeof checkShape<T>>[0], value: Json): T | undefined {
  const checked = checkShape(schema, parseBoundedJson(JSON.stringify(value), recordMaxDepth));
  if ('value' in checked) return checked.value;
  assert.ok(checked.problems.length > 0 && checked.problems.every((problem) => problem !== ''));
  return undefined;
}

const runs = new URL('../../../fixtures/runs/', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, runs), 'utf8');
const cases = readdirSync(runs, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .filter((name) => readdirSync(new URL(name, runs)).includes('plan.json'))
  .map((name) => ({
    plan: JSON.parse(textOf(`${name}/plan.json`)) as Json,
    events: textOf(`${name}/events.jsonl`)
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Json),
  }));

const judged = target({
  name: 'judged-records',
  holds: 'any plan and log that are accepted are judged, always the same, and all others are refused with a reason',
  testRuns: 30,
  input: record({
    recorded: fc.constantFrom(...cases),
    plan: fc.option(edits, { freq: 2, nil: [] }),
    events: fc.array(fc.tuple(fc.nat(), edits), { maxLength: 8 }),
    dropped: fc.array(fc.nat(), { maxLength: 6 }),
  }),
  check({ recorded, plan: planEdits, events: eventEdits, dropped }, count) {
    const plan: Plan | undefined = read(planSchema, changed(recorded.plan, planEdits));
    const lines = [...recorded.events];
    for (const at of dropped) lines.splice(at % lines.length, 1);
    for (const [at, one] of eventEdits) lines[at % lines.length] = changed(lines[at % lines.length] as Json, one);
    const events = lines
      .map((line): HarnessEvent | undefined => read(eventSchema, line))
      .filter((event) => event !== undefined);
    count(1 + eventEdits.length);
    if (plan === undefined) return;
    const verdict = judge(plan, events);
    assert.deepEqual(judge(plan, events), verdict);
    const { error } = caseResultSchema.shape.verdict.safeParse(verdict);
    assert.ok(error === undefined, `a verdict that could not be read: ${error?.message}`);
  },
});

const allResults = JSON.parse(textOf('default/results.json')) as { cases: Json[] } & Record<string, Json>;
/** A few cases of all kinds, not hundreds. */
const results = { ...allResults, cases: allResults.cases.filter((_, index) => index % 40 === 0) };
const place = { command: 'netboot', setDirs: [], outDir: '/runs/one' };
const originalResult = read(runResultSchema, results) as RunResult;

const reported = target({
  name: 'reported-results',
  holds: 'any results that are accepted are reported and compared, and all others are refused with a reason',
  testRuns: 20,
  input: edits,
  check(changes, count) {
    const result: RunResult | undefined = read(runResultSchema, changed(results, changes));
    count(1);
    if (result === undefined) return;
    const xml = junitXml(result, place);
    assert.match(xml, /<\/testsuites>\n$/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: XML does not allow them (§2.2)
    assert.doesNotMatch(xml, /[\0-\x08\x0b\x0c\x0e-\x1f]/);
    summaryMarkdown(result, place);
    comparePairs(joinRuns(originalResult, result));
  },
});

const ownMatrix: Json = {
  name: 'own',
  groups: [
    {
      name: 'bios',
      arch: ['x86_64'],
      firmware: ['seabios'],
      nic: ['e1000', { device: 'virtio-net-pci' }],
      rom: ['bundled'],
      serve: { 'boot.ipxe': { text: '#!ipxe' } },
      faults: [{ match: { protocol: 'tftp' }, drop: { every: 20 } }],
      expect: { stopsAt: 'dhcp', reason: 'why', failure: { rule: 'deadline' } },
      qemuArgs: ['-S'],
    },
  ],
};

const matrices = target({
  name: 'matrices',
  holds: 'any matrix is parsed, or refused with what was expected',
  testRuns: 60,
  input: edits,
  check(changes, count) {
    count(1);
    try {
      parseMatrix(changed(ownMatrix, changes), 'own.json');
    } catch (error) {
      assert.ok(error instanceof HarnessError, String(error));
    }
  },
});

const json = target({
  name: 'damaged-json',
  holds: 'damaged JSON is an error in words, never anything else',
  testRuns: 60,
  input: record({ recorded: fc.constantFrom(...cases), at: fc.nat(), change: mutation }),
  check({ recorded: { events }, at, change }, count) {
    const line = Buffer.from(JSON.stringify(events[at % events.length]));
    count(1);
    try {
      checkShape(eventSchema, parseBoundedJson(mutated(line, change).toString(), recordMaxDepth));
    } catch (error) {
      assert.ok(error instanceof SyntaxError || /^it is nested/.test((error as Error).message), String(error));
    }
  },
});

const limits = {
  maxEntries: 20,
  maxEntryBytes: 1 << 16,
  maxTotalBytes: 1 << 18,
  maxRatio: 100,
  ratioGraceBytes: 1 << 16,
};

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

const zip = target({
  name: 'bundles',
  holds: 'an archive has the same files after packing and unpacking; a damaged one is refused, or has the very same',
  testRuns: 10,
  input: record({
    files: fc.dictionary(fc.stringMatching(/^[a-z0-9]{1,6}(\/[a-z0-9]{1,6})?$/), bytes(300), {
      minKeys: 1,
      maxKeys: 4,
      noNullPrototype: true,
    }),
    change: mutation,
  }),
  async check({ files, change }, count) {
    const names = Object.keys(files);
    // A file cannot be a folder too.
    fc.pre(!names.some((name) => names.some((other) => other.startsWith(`${name}/`))));
    const folder = mkdtempSync(join(tmpdir(), 'fuzz-zip-'));
    try {
      for (const name of names) {
        mkdirSync(join(folder, 'in', name, '..'), { recursive: true });
        writeFileSync(join(folder, 'in', name), files[name] as Buffer);
      }
      await writeZip(join(folder, 'in'), join(folder, 'zip'), limits);
      await unpackZip(join(folder, 'zip'), join(folder, 'out'), limits);
      const expectSame = (out: string) => {
        assert.deepEqual(filesBelow(out), names.sort());
        for (const name of names) assert.deepEqual(readFileSync(join(out, name)), files[name]);
      };
      expectSame(join(folder, 'out'));
      writeFileSync(join(folder, 'damaged'), mutated(readFileSync(join(folder, 'zip')), change));
      try {
        await unpackZip(join(folder, 'damaged'), join(folder, 'again'), limits);
        expectSame(join(folder, 'again'));
      } catch (error) {
        assert.ok(error instanceof BadZip, `not refused in words: ${(error as Error).stack}`);
        return;
      } finally {
        assert.deepEqual(
          readdirSync(folder)
            .sort()
            .filter((name) => name !== 'again'),
          ['damaged', 'in', 'out', 'zip'],
        );
        count(2);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
});

export const records = [judged, reported, matrices, json, zip];
