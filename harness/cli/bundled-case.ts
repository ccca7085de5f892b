import { join } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import type { Input, Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import { printable } from '../report/printable.ts';
import { caseAtHand, findAgain } from '../run/again/found-again.ts';
import { planAgain } from '../run/again/plan-again.ts';
import { type Artefacts, openArtefacts } from './artefacts.ts';
import type { CliIo } from './io.ts';

export interface BundledCase {
  /** The bundle, as the user named it, and where it was unpacked. */
  source: string;
  directory: string;
  plan: Plan;
}

export interface BundledCaseOptions {
  artefacts: Artefacts;
  /** What the user gave as `--set`. */
  sets: readonly string[];
  accel: Parameters<typeof planAgain>[2]['accel'];
  /** Runs it with what is here where files are missing. */
  allowChanged: boolean;
  io: CliIo;
  /** Throws if the scenario reaches beyond the bundle; called before anything it names is used. */
  refuseStrange(scenario: Scenario): void;
}

const inputText = ({ role, path, sha256, package: from }: Input): string =>
  `  ${role} ${path.split('/').at(-1)}: ${from === undefined ? 'of no package' : `package ${from.name} ${from.version}`}, SHA-256 ${sha256}`;

/** Recorded inputs that this host would not use; all of them if it cannot plan the case at all. */
async function lacking(plan: Plan, scenario: Scenario, artefacts: Artefacts, options: BundledCaseOptions) {
  const { accel, io } = options;
  try {
    const now = await planAgain(scenario, artefacts, { accel, signal: io.signal });
    const here = new Set(now.plan.inputs.map(({ sha256 }) => sha256));
    return { inputs: plan.inputs.filter(({ sha256 }) => !here.has(sha256)) };
  } catch (error) {
    if (error instanceof HarnessError && ['missing-asset', 'bad-matrix'].includes(error.code))
      return { inputs: plan.inputs, why: error };
    throw error;
  }
}

/**
 * A bundled case as this host can run it: as it is, where the sets here have the same files; otherwise with the files in
 * the bundle, and those found in the sets by their SHA-256.
 * @throws HarnessError `missing-asset` with the files that are not at hand, and their packages
 */
export async function openBundledCase(
  { source, directory, plan }: BundledCase,
  options: BundledCaseOptions,
): Promise<{ scenario: Scenario; artefacts: Artefacts }> {
  const { artefacts, sets, allowChanged, io, refuseStrange } = options;
  const files = await findAgain(plan.inputs, directory, artefacts);
  const { named, standIn, setDirs } = await caseAtHand(plan, files, {
    folder: join(directory, 'at-hand'),
    knownSets: artefacts.sets.names,
  });
  refuseStrange(named);
  const asItIs = await lacking(plan, named, artefacts, options);
  if (asItIs.inputs.length === 0) return { scenario: named, artefacts };
  const found = await openArtefacts([...sets, ...setDirs], io);
  const withFiles = await lacking(plan, standIn, found, options);
  const isBetter = withFiles.why === undefined && withFiles.inputs.length < asItIs.inputs.length;
  const best = isBetter ? { scenario: standIn, artefacts: found } : { scenario: named, artefacts };
  const missing = (isBetter ? withFiles : asItIs).inputs.filter(({ sha256 }) => !files.has(sha256));
  if (missing.length === 0 || allowChanged) return best;
  const lines = missing.map((input) => printable(inputText(input)));
  const message = [`${source}: not at hand are ${missing.length} of the files it was run with:`, ...lines];
  throw new HarnessError('missing-asset', message.join('\n'), {
    hint: 'Install these packages, give your own build with --set, or ask for a bundle made with --inputs; --allow-changed runs it with what is here.',
    details: { missing },
    cause: asItIs.why,
  });
}
