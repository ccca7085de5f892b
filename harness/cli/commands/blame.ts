import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { type Blame, findBlame, type Likeness, likenessOf, type Swap } from '../../compare/blame.ts';
import { changeOf, type Outcome, outcomeOf, outcomeText } from '../../compare/outcome.ts';
import { HarnessError } from '../../model/errors.ts';
import { differingParts, partText, withParts } from '../../run/again/swapped-parts.ts';
import type { FoundCase } from '../../run/found-case.ts';
import { folderByTime } from '../../run/records/claim-directory.ts';
import { runMatrix } from '../../run/run-matrix.ts';
import type { Artefacts } from '../artefacts.ts';
import { accelOption, collect } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import type { ExitCode } from '../exit-code.ts';
import { type CliIo, writeJson, writeLines } from '../io.ts';
import { type OpenOptions, openRecordedCase, type RecordedCase } from '../recorded-case.ts';
import { onlyFiles } from '../reporters.ts';
import { trustFlag, trustHelp } from '../trust.ts';

interface BlameOptions extends OpenOptions {
  good: string;
  bad: string;
  out?: string;
  json?: boolean;
}

type Sides = Record<Swap['into'], RecordedCase>;

/** What the boots of one command share. */
interface Boots {
  options: BlameOptions;
  io: CliIo;
  artefacts: Artefacts;
  /** Parent of all records. */
  root: string;
}

/** Boots cases that were put together here; resolves to what each did, in their order. */
async function bootAll(
  cases: readonly FoundCase[],
  folder: string,
  { options, io, artefacts, root }: Boots,
): Promise<Outcome[]> {
  const result = await runMatrix({
    ...artefacts,
    matrixName: `blame, ${folder}`,
    cells: cases.map(({ scenario }) => scenario),
    find: async ({ id }) => cases.find(({ scenario }) => scenario.id === id) as FoundCase,
    outDir: join(root, folder),
    accel: options.accel,
    repeat: 1,
    reporter: {
      ...onlyFiles(io, artefacts),
      onCaseEnd: (one) => writeLines(io.stderr, [`${one.id}: ${outcomeText(outcomeOf([one]))}`]),
    },
    signal: io.signal,
  });
  if (io.signal.aborted) throw new HarnessError('interrupted', 'interrupted');
  return cases.map(({ scenario: { id } }) => outcomeOf(result.cases.filter((one) => one.scenario.id === id)));
}

interface Blamed extends Blame {
  good: Outcome;
  bad: Outcome;
  /** Where the two cases differ, and what each has there. */
  differing: { part: string; good: string; bad: string }[];
  conclusion: string;
  exitCode: ExitCode;
}

function conclusionOf(culprits: readonly string[][]): string {
  const [first, ...others] = culprits;
  if (first === undefined) return 'no part, and no two parts, make the difference by themselves';
  if (first.length === 2) {
    return `no part makes the difference alone; two together do: ${culprits.map((two) => two.join(' and ')).join('; or ')}`;
  }
  if (others.length === 0) return `${first[0]} alone makes the difference`;
  return `each of these alone makes the difference: ${culprits.flat().join(', ')}`;
}

const isKnown = ({ kind }: Outcome): boolean => kind === 'boots' || kind === 'stops';

async function blame(sides: Sides, boots: Boots): Promise<Blamed> {
  const parts = differingParts(sides.good, sides.bad);
  const differing = parts.map((part) => ({
    part: part.name,
    good: partText(part, sides.good),
    bad: partText(part, sides.bad),
  }));
  const named = (id: string, { artefacts, scenario, ...found }: RecordedCase) => ({
    ...found,
    scenario: { ...scenario, id },
  });
  const both = await bootAll([named('good', sides.good), named('bad', sides.bad)], 'both', boots);
  const [good, bad] = both as [Outcome, Outcome];
  const common = { good, bad, differing, tried: [], culprits: [] };
  if (!isKnown(good) || !isKnown(bad)) {
    return { ...common, conclusion: 'one of the two does not always do the same: nothing can be blamed', exitCode: 3 };
  }
  if (good.kind === bad.kind && changeOf(good, bad) === undefined) {
    return { ...common, conclusion: 'both do the same now: there is nothing to blame', exitCode: 0 };
  }
  if (parts.length === 0) {
    return {
      ...common,
      conclusion: 'the two have the same files and settings: the difference is by chance',
      exitCode: 3,
    };
  }
  writeLines(boots.io.stderr, [`they differ in ${differing.map(({ part }) => part).join(', ')}`]);

  const boot = async (swaps: readonly Swap[]): Promise<Likeness[]> => {
    const cases = swaps.map(({ into, parts: names }) => {
      const from = into === 'good' ? 'bad' : 'good';
      const id = `${into}-with-${from}.${names.join('+').replaceAll(' ', '-')}`;
      const mixed = { into: sides[into], from: sides[from], parts: parts.filter(({ name }) => names.includes(name)) };
      return withParts(id, mixed, boots.artefacts.inspections);
    });
    const outcomes = await bootAll(await Promise.all(cases), swaps[0]?.parts.length === 1 ? 'one' : 'two', boots);
    return outcomes.map((outcome) => likenessOf(outcome, good, bad));
  };
  const found = await findBlame(
    differing.map(({ part }) => part),
    boot,
  );
  const exitCode = found.culprits.length > 0 ? 1 : 3;
  return { ...common, ...found, conclusion: conclusionOf(found.culprits), exitCode };
}

function blameLines({ differing, culprits, conclusion }: Blamed): string[] {
  const shown = culprits.length > 0 ? differing.filter(({ part }) => culprits.flat().includes(part)) : differing;
  return [
    conclusion,
    ...shown.flatMap(({ part, good, bad }) => [`  ${part}`, `    good: ${good}`, `    bad:  ${bad}`]),
  ];
}

export const blameCommand: AddCommand = (program, io, end) => {
  program
    .command('blame')
    .description(
      'Exchange one part at a time between a case that boots and one that does not, and say which makes the difference.',
    )
    .argument('<case>', 'its id, or a glob that matches only it')
    .argument('[bad-case]', 'its id in the bad run, if it is another there')
    .requiredOption('--good <run>', "a run's directory, or one case's")
    .requiredOption('--bad <run>', 'the same, where the case does something else')
    .addOption(
      new Option('--set <dir>', 'artefact sets, if not where the runs had them; may be repeated').argParser(collect),
    )
    .option('--allow-changed', 'use files, QEMU and arguments as they are now')
    .option(trustFlag, trustHelp)
    .addOption(accelOption().default('auto'))
    .option('--out <dir>', 'where the records go (default: .runs/<time>)')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Parts are QEMU, firmware, variable store, option ROM, network boot program, what that loads, kernel, initrd, and every
setting in which the two cases differ. Each is taken from the good case into the bad one and back; if none makes the
difference alone, every two of them.

Exit codes: 1 something can be blamed, 0 both do the same now, 3 could not tell.

Examples:
  netboot blame CASE --good results-old --bad results-new
  netboot blame 'no-random-source.*@bookworm*' 'no-random-source.*@forky*' --good results --bad results`,
    )
    .action(async (pattern: string, badPattern: string | undefined, options: BlameOptions) => {
      const open = (name: 'good' | 'bad', which: string) =>
        openRecordedCase({ option: `--${name}`, run: options[name], pattern: which }, options, io);
      const sides = { good: await open('good', pattern), bad: await open('bad', badPattern ?? pattern) };
      const root = resolve(options.out ?? folderByTime());
      const { exitCode, ...found } = await blame(sides, { options, io, artefacts: sides.good.artefacts, root });
      if (options.json) writeJson(io.stdout, found);
      else writeLines(io.stdout, blameLines({ ...found, exitCode }));
      end(exitCode);
    });
};
