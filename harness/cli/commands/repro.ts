import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import { isShared } from '../../model/provisioner.ts';
import type { Scenario } from '../../model/scenario.ts';
import type { CaseResult } from '../../model/verdict.ts';
import { planAgain } from '../../run/again/plan-again.ts';
import { differencesOf, type PlannedCase } from '../../run/again/same-case.ts';
import { caseDirectoriesOf, readCaseResult, readPlan, readStartedQemu } from '../../run/records/run-directory.ts';
import { type RunOptions, runMatrix } from '../../run/run-matrix.ts';
import { type Artefacts, openArtefacts } from '../artefacts.ts';
import { openBundledCase } from '../bundled-case.ts';
import { accelOption, addMatrixOptions, type CaseOptions, expandChosen, selectOne } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfRun } from '../exit-code.ts';
import { openGuestConsole, unhurried } from '../guest-console.ts';
import { writeLines } from '../io.ts';
import { type OpenedRecord, withRecord } from '../record.ts';
import { namedCase } from '../recorded-case.ts';
import { runReporters } from '../reporters.ts';
import { printCommand, type ReproCase, writeWithoutHarness } from '../repro-without.ts';
import { type Origin, refuseReach } from '../trust.ts';
import { reportDifferences } from '../unchanged.ts';

interface ReproOptions {
  console?: boolean;
  print?: boolean;
  standalone?: string;
  out?: string;
  allowChanged?: boolean;
  accel?: RunOptions['accel'];
}

/** What to run again: a cell, and the record of an earlier run if there is one. */
interface Before extends ReproCase {
  run?: PlannedCase & { result: CaseResult | undefined };
  origin: Origin | undefined;
}

/** The directory of the only case, or of the one that `which` names. */
function caseDirectoryIn({ source, directory }: OpenedRecord, which: string | undefined): string {
  const all = caseDirectoriesOf(directory);
  const hint = `Name one of its cases, as \`netboot judge\` lists them: netboot repro ${source} CASE`;
  if (which !== undefined) return namedCase(which, all, { source, hint });
  const [only, ...others] = all;
  if (only !== undefined && others.length === 0) return only;
  throw new HarnessError('usage', `${source}: expected one case, saw a run with ${all.length} cases`, { hint });
}

function fromRecord(record: OpenedRecord, which: string | undefined): Required<Before> & { origin: Origin } {
  const { source, directory, isBundle } = record;
  const only = caseDirectoryIn(record, which);
  const plan = readPlan(only);
  return {
    scenario: plan.scenario,
    run: { plan, qemu: readStartedQemu(only), result: readCaseResult(only) },
    // Everything in a bundle came with the case.
    origin: { source, folder: resolve(isBundle ? directory : only) },
  };
}

/** Emulation is always available; anything faster may not be on this host. */
const accelOf = ({ run }: Before, { accel }: ReproOptions): RunOptions['accel'] =>
  accel ?? (run?.qemu?.accel === 'tcg' ? 'tcg' : 'auto');

function compare(then: CaseResult, now: CaseResult): string {
  const text = ({ verdict: { status, lastStage } }: CaseResult) => `${status} at ${lastStage ?? 'no stage'}`;
  return text(then) === text(now) ? `as before: ${text(now)}` : `before: ${text(then)}; now: ${text(now)}`;
}

export const reproCommand: AddCommand = (program, io, end) => {
  addMatrixOptions(program.command('repro'))
    .description(
      'Run one case again: by id, or as recorded, after checking that files, QEMU and its arguments are unchanged.',
    )
    .argument('<case|dir>', 'a case id, or the directory or bundle of a case or a run')
    .argument('[case]', 'which case of the run; * for any text')
    .option('--console', "attach this terminal to the guest's serial console")
    .option('--print', "print QEMU's command line instead")
    .option('--standalone <dir>', 'write a folder from which plain QEMU boots the case, without the harness')
    .option('--out <dir>', 'where the results go (default: .runs/<time>)')
    .addOption(accelOption(' (default: as recorded, or auto)'))
    .option('--allow-changed', 'run it even if files, QEMU or its arguments have changed')
    .addHelpText(
      'after',
      '\nExamples:\n  netboot repro results/cases/CASE --console\n  netboot repro bundle.zip\n  netboot repro run.zip CASE\n  netboot repro CASE --print\n  netboot repro CASE --standalone for-the-list   run.sh, and all that QEMU needs for it',
    )
    .action(async (target: string, which: string | undefined, options: CaseOptions & ReproOptions) => {
      if (statSync(target, { throwIfNoEntry: false }) !== undefined)
        return withRecord(target, (record) => reproduceRecord(record, which, options));
      if (which !== undefined) {
        throw new HarnessError('usage', `${target}: there is no such file or directory`, {
          hint: 'Name the directory or bundle of a run, then one of its cases; or one case id alone.',
        });
      }
      const artefacts = await openArtefacts(options.set ?? [], io);
      const { cells, origin } = await expandChosen(options, artefacts);
      const before = { scenario: selectOne(cells, target), origin };
      if (options.print) return printCommand(before, artefacts, io);
      if (origin) refuseReach([before.scenario], origin, options.trust ?? false);
      return reproduce({ source: target, before, artefacts, options });
    });

  async function reproduceRecord(
    record: OpenedRecord,
    which: string | undefined,
    options: CaseOptions & ReproOptions,
  ): Promise<void> {
    const { source, directory, isBundle } = record;
    const before = fromRecord(record, which);
    const artefacts = await openArtefacts(options.set ?? [], io);
    if (options.print) return printCommand(before, artefacts, io);
    const refuseStrange = (scenario: Scenario) => refuseReach([scenario], before.origin, options.trust ?? false);
    if (!isBundle) {
      refuseStrange(before.scenario);
      return reproduce({ source, before, artefacts, options });
    }
    const here = await openBundledCase(
      { source, directory, plan: before.run.plan },
      {
        ...{ artefacts, sets: options.set ?? [], io, refuseStrange },
        accel: accelOf(before, options),
        allowChanged: options.allowChanged ?? false,
      },
    );
    return reproduce({ source, before: { ...before, scenario: here.scenario }, artefacts: here.artefacts, options });
  }

  interface Reproduced {
    source: string;
    before: Before;
    artefacts: Artefacts;
    options: CaseOptions & ReproOptions;
  }

  async function reproduce({ source, before, artefacts, options }: Reproduced): Promise<void> {
    if (options.standalone !== undefined) {
      return writeWithoutHarness(before, { folder: options.standalone, artefacts, io });
    }
    const accel = accelOf(before, options);
    if (before.run) {
      const now = await planAgain(before.scenario, artefacts, { accel, signal: io.signal });
      const differences = differencesOf(before.run, now);
      reportDifferences({ source, differences, allowed: options.allowChanged ?? false, io });
    }

    if (isShared(before.scenario.provisioner))
      writeLines(io.stderr, [
        'Its provisioner is started for this guest alone: the others of its group are not there.',
      ]);
    using guestConsole = options.console ? openGuestConsole(io) : undefined;
    const scenario = guestConsole ? unhurried(before.scenario) : before.scenario;
    const { reporter, failures } = runReporters(io, {
      setDirs: artefacts.setDirs,
      quiet: guestConsole !== undefined,
    });
    const result = await runMatrix({
      ...artefacts,
      matrixName: `repro of ${scenario.id}`,
      cells: [scenario],
      outDir: options.out,
      accel,
      repeat: 1,
      reporter,
      terminal: guestConsole,
      signal: guestConsole ? AbortSignal.any([io.signal, guestConsole.left]) : io.signal,
    });
    const [now] = result.cases;
    if (before.run?.result && now) writeLines(io.stdout, [compare(before.run.result, now)]);
    writeLines(io.stderr, failures);
    end(exitCodeOfRun(result, failures));
  }
};
