import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { acceptResult } from '../../harness/farm/accept-result.ts';
import { openFolderStore } from '../../harness/farm/file-store.ts';
import { pathsOf } from '../../harness/farm/paths.ts';
import type { Plan } from '../../harness/model/plan.ts';
import { packFolder } from '../../harness/os/write-zip.ts';
import { makePlan } from '../../harness/plan/plan.ts';
import { bundleLimits } from '../../harness/run/bundle/bundle-format.ts';
import { type FoundCase, findCase } from '../../harness/run/found-case.ts';
import { readCaseResult } from '../../harness/run/records/run-directory.ts';
import type { CaseRun } from '../../harness/run/run-case.ts';
import { bios, cellsOf, openHost } from '../run/rig.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder = '';
folderOfTest((made) => {
  folder = made;
  for (const name of ['out', 'store', 'worker', 'arrived']) mkdirSync(join(folder, name));
});

let found: FoundCase;
let plan: Plan;
beforeAll(async () => {
  const [scenario] = cellsOf({ name: 'a', ...bios, rom: 'none' });
  if (scenario === undefined) throw new Error('the matrix has no cell');
  const answer = await findCase(scenario, await openHost());
  if ('missing' in answer) throw new Error(answer.missing);
  found = answer;
  plan = makePlan({ ...found, nonce: '0123456789ab' });
});

const id = 'a';
const directory = join('cases', id);
const out = () => join(folder, 'out');
const caseRun = () => ({ id, round: 1, found, outDir: out(), directory, setDirs: [] }) as unknown as CaseRun;

const log = [
  { tMs: 0, source: 'run', type: 'started', caseId: id, attempt: 1, at: '2026-01-01T00:00:00.000Z' },
  { tMs: 9, source: 'run', type: 'ended', reason: 'deadline' },
];

/** What a worker sends: its records, among them what it thought of them. */
const records = (more: Record<string, string> = {}) => ({
  'plan.json': JSON.stringify(plan),
  'qemu.json': JSON.stringify({ program: 'qemu', version: '7', accel: 'tcg', argv: [] }),
  'events.jsonl': log.map((event) => `${JSON.stringify(event)}\n`).join(''),
  'result.json': JSON.stringify({ verdict: { status: 'passed' } }),
  ...more,
});

/** The result of a worker with these files; `damage` changes the bundle on its way. */
async function accept(files: Record<string, string>, damage = (bundle: Buffer) => bundle) {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, 'worker', name, '..'), { recursive: true });
    writeFileSync(join(folder, 'worker', name), text);
  }
  const path = join(folder, 'bundle.zip');
  await packFolder(join(folder, 'worker'), path, bundleLimits);
  writeFileSync(path, damage(readFileSync(path)));
  const bundle = { sha256: (await createFingerprints().of(path)).sha256, bytes: statSync(path).size };
  const store = openFolderStore(join(folder, 'store'));
  await store.put(bundle, path);
  const outcome = { bundle, accel: 'tcg', durationMs: 1, guestCpuMs: 1, paths: pathsOf(found) } as const;
  return acceptResult({ run: '0'.repeat(16), id, worker: 'one', outcome }, caseRun(), {
    store,
    folder: join(folder, 'arrived'),
  });
}

it('is judged here: what the worker thought of it is not kept', async () => {
  const result = await accept(records());
  expect(result.verdict.status).not.toBe('passed');
  expect(readCaseResult(join(out(), directory))).toEqual(JSON.parse(JSON.stringify(result)));
  expect(readdirSync(out())).toEqual(['cases']);
});

it.each([
  ['those of another case', { 'plan.json': '{}' }],
  ['a log that is none', { 'events.jsonl': 'no event\n' }],
  ['no log', { 'events.jsonl': '' }],
])('leaves nothing for --resume where the records are %s', async (what, changed) => {
  const files: Record<string, string> = records(changed);
  if (what === 'no log') delete files['events.jsonl'];
  await expect(accept(files)).rejects.toThrow();
  expect(existsSync(join(out(), directory))).toBe(false);
  expect(readdirSync(out())).toEqual([]);
});

it('leaves nothing for --resume where the bundle is damaged after its result.json', async () => {
  const damage = (bundle: Buffer): Buffer => {
    const at = bundle.indexOf('the end of it');
    return Buffer.concat([bundle.subarray(0, at), Buffer.from('T'), bundle.subarray(at + 1)]);
  };
  // Small files are stored as they are.
  await expect(accept(records({ 'z.txt': 'the end of it' }), damage)).rejects.toThrow('checksum');
  expect(readdirSync(out())).toEqual([]);
});

it('keeps no folder that stands where its result belongs', async () => {
  const files: Record<string, string> = records({ 'result.json/a': 'a' });
  delete files['result.json'];
  await accept(files);
  expect(readCaseResult(join(out(), directory))?.verdict.status).not.toBe('passed');
});
