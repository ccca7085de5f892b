import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Fingerprints } from '../../assets/fingerprint.ts';
import { accels } from '../../model/axes.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { Scenario } from '../../model/scenario.ts';
import { shellWord } from '../../model/shell-word.ts';
import { stages } from '../../model/stages.ts';
import type { CaseResult } from '../../model/verdict.ts';
import { caseDirectoriesOf, readCaseResult, readPlan } from '../../run/run-directory.ts';
import { type RunOptions, runMatrix } from '../../run/run-matrix.ts';
import { type Artefacts, openArtefacts } from '../artefacts.ts';
import { addMatrixOptions, type CaseOptions, expandChosen, selectOne } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfRun } from '../exit-code.ts';
import { openGuestConsole } from '../guest-console.ts';
import { type CliIo, writeLines } from '../io.ts';
import { type Origin, refuseReach } from '../trust.ts';
import { runReporters } from './run.ts';
import { planCase } from './show.ts';

interface ReproOptions {
  console?: boolean;
  print?: boolean;
  out?: string;
  accel: RunOptions['accel'];
}

/** What is to be run again: a cell, and where it was run before the plan and result of then. */
interface Before {
  scenario: Scenario;
  plan?: Plan;
  result?: CaseResult | undefined;
  origin: Origin | undefined;
}

function fromDirectory(directory: string): Before {
  const [only, ...others] = caseDirectoriesOf(directory);
  if (only === undefined || others.length > 0) {
    const message = `${directory}: expected one case's directory, saw a run with ${others.length + (only ? 1 : 0)} cases`;
    throw new HarnessError('usage', message, { hint: `Name one of ${directory}/cases/.` });
  }
  const plan = readPlan(only);
  const origin = { source: directory, folder: resolve(only) };
  return { plan, scenario: plan.scenario, result: readCaseResult(only), origin };
}

async function isGone(
  { path, sha256 }: Plan['inputs'][number],
  fingerprints: Pick<Fingerprints, 'of'>,
): Promise<string | null> {
  if (!existsSync(path)) return `${path} is gone`;
  const now = (await fingerprints.of(path)).sha256;
  return now === sha256 ? null : `${path} had SHA-256 ${sha256}, and has ${now}`;
}

/** The same case needs the same inputs: another firmware build is another case. */
async function refuseChangedInputs(plan: Plan, { fingerprints }: Pick<Artefacts, 'fingerprints'>): Promise<void> {
  const found = await Promise.all(plan.inputs.map((input) => isGone(input, fingerprints)));
  const changes = found.filter((change) => change !== null);
  if (changes.length === 0) return;
  throw new HarnessError('changed-input', `not the inputs of then: ${changes.join('; ')}`, {
    hint: `Put the old files back, or run the case as it is now: netboot run ${shellWord(plan.scenario.id)}`,
    details: { changes },
  });
}

/** A person at the console needs time. */
function withoutDeadlines(scenario: Scenario): Scenario {
  const dayMs = 86_400_000;
  const stageMs = Object.fromEntries(stages.map((stage) => [stage, dayMs]));
  return { ...scenario, deadlines: { totalMs: dayMs, stageMs } };
}

/** QEMU's own command line as the harness starts it. */
async function printCommand(before: Before, artefacts: Artefacts, io: CliIo): Promise<void> {
  const plan = before.plan ?? (await planCase(before.scenario, artefacts));
  if ('missing' in plan)
    throw new HarnessError('missing-asset', `${before.scenario.id} cannot be run here: ${plan.missing}`);
  const { program, argv, fds, cpu } = plan.qemu;
  const held = Object.entries(fds).map(([what, fd]) => `${fd} (${what})`);
  writeLines(io.stdout, [
    `# The harness holds descriptors ${held.join(', ')}: give the NIC another -netdev to run this without it.`,
    [program, '-accel', 'tcg', ...(cpu.tcg === undefined ? [] : ['-cpu', cpu.tcg]), ...argv].map(shellWord).join(' '),
  ]);
}

function compare(then: CaseResult, now: CaseResult): string {
  const told = ({ verdict: { status, lastStage } }: CaseResult) => `${status} at ${lastStage ?? 'no stage'}`;
  return told(then) === told(now) ? `as before: ${told(now)}` : `before: ${told(then)}; now: ${told(now)}`;
}

export const reproCommand: AddCommand = (program, io, end) => {
  addMatrixOptions(program.command('repro'))
    .description('Run one case again: by id, or with the very inputs of a finished one, whose hashes are checked.')
    .argument('<case|dir>', "a case id, or a case's directory")
    .option('--console', "attach this terminal to the guest's serial console")
    .option('--print', "print QEMU's command line instead")
    .option('--out <dir>', 'where the results go (default: .runs/<time>)')
    .addOption(
      new Option('--accel <name>', 'accelerator; auto: the fastest that a probe boot shows to work')
        .choices(['auto', ...accels])
        .default('auto'),
    )
    .addHelpText('after', '\nExamples:\n  netboot repro results/cases/CASE --console\n  netboot repro CASE --print')
    .action(async (target: string, options: CaseOptions & ReproOptions) => {
      const artefacts = await openArtefacts(options.set ?? [], io);
      const isDirectory = statSync(target, { throwIfNoEntry: false })?.isDirectory() ?? false;
      const fromMatrix = async (): Promise<Before> => {
        const { cells, origin } = await expandChosen(options, artefacts);
        return { scenario: selectOne(cells, target), origin };
      };
      const before = isDirectory ? fromDirectory(target) : await fromMatrix();
      if (options.print) return printCommand(before, artefacts, io);
      if (before.origin) refuseReach([before.scenario], before.origin, options.trust ?? false);
      if (before.plan) await refuseChangedInputs(before.plan, artefacts);

      using guestConsole = options.console ? openGuestConsole(io) : undefined;
      const scenario = guestConsole ? withoutDeadlines(before.scenario) : before.scenario;
      const { reporter, failures } = runReporters(io, {
        setDirs: artefacts.setDirs,
        quiet: guestConsole !== undefined,
      });
      const result = await runMatrix({
        ...artefacts,
        matrixName: `repro of ${scenario.id}`,
        cells: [scenario],
        outDir: options.out,
        accel: options.accel,
        repeat: 1,
        reporter,
        terminal: guestConsole,
        signal: guestConsole ? AbortSignal.any([io.signal, guestConsole.left]) : io.signal,
      });
      const [now] = result.cases;
      if (before.result && now) writeLines(io.stdout, [compare(before.result, now)]);
      writeLines(io.stderr, failures);
      end(
        exitCodeOfRun(
          result.cases.map(({ verdict }) => verdict),
          failures,
        ),
      );
    });
};
