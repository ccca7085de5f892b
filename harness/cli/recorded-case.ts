import { basename, resolve } from 'node:path';
import { didYouMean } from '../model/did-you-mean.ts';
import { HarnessError } from '../model/errors.ts';
import { globMatches } from '../model/glob.ts';
import { printable } from '../report/printable.ts';
import { planAgain } from '../run/again/plan-again.ts';
import { differencesOf } from '../run/again/same-case.ts';
import { type FoundCase, findCase } from '../run/found-case.ts';
import { caseDirectoriesOf, readPlan, readSetDirs, readStartedQemu } from '../run/records/run-directory.ts';
import type { RunOptions } from '../run/run-matrix.ts';
import { type Artefacts, openArtefacts } from './artefacts.ts';
import type { CliIo } from './io.ts';
import { refuseReach } from './trust.ts';
import { reportDifferences } from './unchanged.ts';

/** A case of an earlier run, found again on this host. */
export type RecordedCase = FoundCase & { artefacts: Artefacts };

export interface WhichCase {
  /** As the user gave it, for errors: `--good`. */
  option: string;
  /** A run's directory, or one case's. */
  run: string;
  /** An id, or a glob that matches only one. */
  pattern: string;
}

export interface OpenOptions {
  /** Artefact sets instead of those that the run recorded. */
  set?: string[];
  trust?: boolean;
  allowChanged?: boolean;
  accel: RunOptions['accel'];
}

/**
 * The one of these directories whose case a pattern names: a whole id, or a glob.
 * @throws HarnessError `usage` if none or several match; `source` begins the message
 */
export function namedCase(
  pattern: string,
  directories: readonly string[],
  { source, hint }: { source: string; hint: string },
): string {
  const names = directories.map((directory) => basename(directory));
  const exact = names.filter((name) => name === pattern);
  const [only, ...others] = exact.length > 0 ? exact : names.filter((name) => globMatches(pattern, name));
  if (only === undefined) {
    throw new HarnessError('usage', `${source}: no case "${pattern}" in it${didYouMean(pattern, names)}`, { hint });
  }
  if (others.length === 0) return directories[names.indexOf(only)] as string;
  const some = [only, ...others].slice(0, 5).map(printable).join(', ');
  throw new HarnessError('usage', `${source}: "${pattern}" matches ${others.length + 1} cases: ${some}`, { hint });
}

/**
 * Finds a recorded case again, with every file as it was.
 * @throws HarnessError `usage` if the run has no such case, `changed-input` if a file, QEMU or what the harness would do has
 * changed since, unless that is allowed
 */
export async function openRecordedCase(which: WhichCase, options: OpenOptions, io: CliIo): Promise<RecordedCase> {
  const { option, run, pattern } = which;
  const directory = namedCase(pattern, caseDirectoriesOf(run), {
    source: `${option} ${run}`,
    hint: 'Give a whole id, and a second one if it is another in the bad run.',
  });
  const then = { plan: readPlan(directory), qemu: readStartedQemu(directory) };
  const { scenario } = then.plan;
  refuseReach([scenario], { source: directory, folder: resolve(directory) }, options.trust ?? false);
  const artefacts = await openArtefacts(options.set ?? readSetDirs(directory), io);
  // The accelerator is no part of the case: all boots use the same.
  const accel = then.qemu?.accel ?? options.accel;
  const now = await planAgain(scenario, artefacts, { accel, signal: io.signal });
  reportDifferences({
    source: directory,
    differences: differencesOf(then, now),
    allowed: options.allowChanged ?? false,
    io,
  });
  const found = await findCase(scenario, artefacts);
  if ('missing' in found)
    throw new HarnessError('missing-asset', `${scenario.id} cannot be run here: ${found.missing}`);
  return { ...found, artefacts };
}
