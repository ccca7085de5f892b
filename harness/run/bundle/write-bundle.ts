import { existsSync, mkdirSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Fingerprints } from '../../assets/fingerprint.ts';
import { caseIdSchema } from '../../model/case-id.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Input } from '../../model/plan.ts';
import type { CaseResult, RunResult } from '../../model/verdict.ts';
import { openTemporaryFolder } from '../../os/temporary-folder.ts';
import { writeZip } from '../../os/write-zip.ts';
import { BadZip } from '../../os/zip-directory.ts';
import { caseFiles, writeRecord } from '../records/case-directory.ts';
import { copyRecords } from '../records/copy-records.ts';
import { emptyDirectoryInside } from '../records/inside.ts';
import { readResults } from '../records/read-results.ts';
import { caseDirectoriesOf, casesFolder, readPlan, readRunRecord, runRecordFile } from '../records/run-directory.ts';
import { countStatuses } from '../records/run-summary.ts';
import { type BundledInput, bundleLimits, inputListFile, inputsFolder } from './bundle-format.ts';

export interface BundleOptions {
  /** A run's directory, or one case's. */
  path: string;
  /** The zip file; must not exist. */
  out: string;
  /** Also the files that the cases depend on. */
  inputs: boolean;
  fingerprints: Pick<Fingerprints, 'of'>;
  /** Writes the reports into a directory that has the records. */
  writeReports(result: RunResult, directory: string): Promise<void>;
}

export interface WrittenBundle {
  cases: number;
  inputs: BundledInput[];
  bytes: number;
}

/** The name of a case's directory in a bundle: its id, also where the directory was renamed. */
function nameOf(caseDir: string): string {
  const name = basename(resolve(caseDir));
  return caseIdSchema.safeParse(name).success ? name : readPlan(caseDir).scenario.id;
}

/** The run that a case's directory belongs to; undefined where it was copied alone. */
const runOf = (caseDir: string): string | undefined => {
  const cases = dirname(resolve(caseDir));
  const run = dirname(cases);
  return basename(cases) === casesFolder && existsSync(join(run, 'results.json')) ? run : undefined;
};

/** The run's results, record and reports, cut down to `names`, the directories of some of its cases. */
async function writeRunFiles(
  from: string,
  names: readonly string[] | undefined,
  { writeReports }: BundleOptions,
  into: string,
): Promise<void> {
  const whole = readResults(from);
  const isNamed = ({ run }: CaseResult) => run.directory !== null && names?.includes(basename(run.directory));
  const cases = names === undefined ? whole.cases : whole.cases.filter(isNamed);
  if (existsSync(join(from, runRecordFile))) {
    const record = readRunRecord(from);
    const ids = new Set(cases.map(({ scenario }) => scenario.id));
    const { shard: _, ...part } = { ...record, cells: record.cells.filter(({ id }) => ids.has(id)) };
    await writeRecord(join(into, runRecordFile), names === undefined ? record : part);
  }
  const guestCpuMs = cases.reduce((sum, { run }) => sum + run.guestCpuMs, 0);
  await writeReports({ ...whole, cases, totals: countStatuses(cases), guestCpuMs }, into);
}

/** Puts an input into the bundle; false for a folder. */
async function includeInput(input: Input, into: string, fingerprints: BundleOptions['fingerprints']): Promise<boolean> {
  if (statSync(input.path, { throwIfNoEntry: false })?.isDirectory()) return false;
  const now = await fingerprints.of(input.path).catch(() => undefined);
  if (now?.sha256 !== input.sha256) {
    const what = now === undefined ? 'can no longer be read' : 'is no longer the file that was used';
    throw new HarnessError('changed-input', `${input.path}: ${what}, which had SHA-256 ${input.sha256}`, {
      hint: 'Restore it, or leave out --inputs: the bundle then has its name, package and SHA-256.',
    });
  }
  mkdirSync(join(into, inputsFolder), { recursive: true });
  await copyFile(input.path, join(into, inputsFolder, input.sha256));
  return true;
}

async function writeInputs(caseDirs: readonly string[], options: BundleOptions, into: string): Promise<BundledInput[]> {
  const inputs = new Map(caseDirs.flatMap((dir) => readPlan(dir).inputs).map((input) => [input.sha256, input]));
  const list: BundledInput[] = [];
  for (const input of inputs.values()) {
    // A QEMU is more than its program.
    const isWanted = options.inputs && input.role !== 'qemu';
    const included = isWanted && (await includeInput(input, into, options.fingerprints));
    const { sha256, bytes, path, package: from } = input;
    list.push({ sha256, bytes, name: basename(path), ...(from && { package: from }), included });
  }
  await writeRecord(join(into, inputListFile), list);
  return list;
}

/**
 * Packs the records and reports of a run, or of one of its cases, into one zip file that `unpackBundle` reads.
 * @throws HarnessError `bad-run-directory` for what is no run, `changed-input` for an input that is gone, `disk`
 */
export async function writeBundle(options: BundleOptions): Promise<WrittenBundle> {
  const { path, out } = options;
  const caseDirs = caseDirectoriesOf(path);
  if (existsSync(out)) {
    throw new HarnessError('usage', `${out}: it exists already`, { hint: 'Choose another file with --out.' });
  }
  await using folder = await openTemporaryFolder('netboot-bundle-');
  const staged = folder.path;
  try {
    for (const dir of caseDirs) copyRecords(dir, emptyDirectoryInside(staged, join(casesFolder, nameOf(dir))));
    const isCase = existsSync(join(path, caseFiles.plan));
    const run = isCase ? runOf(path) : path;
    if (run !== undefined) await writeRunFiles(run, isCase ? caseDirs.map(nameOf) : undefined, options, staged);
    const inputs = await writeInputs(caseDirs, options, staged);
    await writeZip(staged, out, bundleLimits);
    return { cases: caseDirs.length, inputs, bytes: statSync(out).size };
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    if (cause instanceof BadZip) {
      throw new HarnessError('usage', `${path}: no bundle can be made of it: ${cause.message}`, {
        hint: 'Bundle a single case, leave out --inputs, or remove files that no run wrote.',
        cause,
      });
    }
    throw new HarnessError('disk', `${out}: cannot be written: ${(cause as Error).message}`, {
      hint: 'Choose another file with --out.',
      cause,
    });
  }
}
