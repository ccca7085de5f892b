import { Command } from 'commander';
import { HarnessError } from '../model/errors.ts';
import type { AddCommand } from './command.ts';
import { type CommandName, commandNames } from './command-names.ts';
import type { ExitCode } from './exit-code.ts';
import { explainError } from './explain-error.ts';
import type { CliIo } from './io.ts';
import { asTyped } from './own-command.ts';
import { packageVersion } from './package-version.ts';

/** Each command loads its own module, since they need very different parts of the harness. */
const commands: Readonly<Record<CommandName, () => Promise<AddCommand>>> = {
  run: async () => (await import('./commands/run.ts')).runCommand,
  list: async () => (await import('./commands/list.ts')).listCommand,
  show: async () => (await import('./commands/show.ts')).showCommand,
  repro: async () => (await import('./commands/repro.ts')).reproCommand,
  judge: async () => (await import('./commands/judge.ts')).judgeCommand,
  report: async () => (await import('./commands/report.ts')).reportCommand,
  merge: async () => (await import('./commands/merge.ts')).mergeCommand,
  bundle: async () => (await import('./commands/bundle.ts')).bundleCommand,
  compare: async () => (await import('./commands/compare.ts')).compareCommand,
  bisect: async () => (await import('./commands/bisect.ts')).bisectCommand,
  'bisect-step': async () => (await import('./commands/bisect-step.ts')).bisectStepCommand,
  blame: async () => (await import('./commands/blame.ts')).blameCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  farm: async () => (await import('./commands/farm.ts')).farmCommand,
  watch: async () => (await import('./commands/watch.ts')).watchCommand,
  'check-server': async () => (await import('./commands/check-server.ts')).checkServerCommand,
  install: async () => (await import('./commands/install.ts')).installCommand,
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand,
  predict: async () => (await import('./commands/predict.ts')).predictCommand,
  inspect: async () => (await import('./commands/inspect.ts')).inspectCommand,
  schema: async () => (await import('./commands/schema.ts')).schemaCommand,
  set: async () => (await import('./commands/set.ts')).setCommand,
  rom: async () => (await import('./commands/rom.ts')).romCommand,
  firmware: async () => (await import('./commands/firmware.ts')).firmwareCommand,
};

/** Only the requested command, or all of them for help and for suggestions on a misspelt one. */
async function commandsFor(argv: readonly string[]): Promise<AddCommand[]> {
  const named = argv.find((word) => !word.startsWith('-')) ?? '';
  const asked = commandNames.filter((name) => name === named);
  return Promise.all((asked.length > 0 ? asked : commandNames).map((name) => commands[name]()));
}

const examples = `
Examples:
  netboot install --with-deps                 what the default matrix needs: firmware, ROMs, QEMU
  netboot run                                 every case of the default matrix
  netboot run --arch aarch64 --nic e1000      those of one architecture and NIC
  netboot run 'bios-*' --out results          by id, into a folder of your choice
  netboot run --matrix bug.json               a matrix of your own
  netboot show CASE                           what a case would do, without QEMU
  netboot repro results/cases/CASE --console  the same case again, at its console

Exit codes: 0 all as expected, 1 something was not, 2 usage, 3 could not run, 130 interrupted.`;

/** An empty value is usually an unset shell variable; accepted, it would mean the current folder, or nothing. */
function refuseEmptyValues(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    const value: unknown = command.getOptionValue(name);
    const isEmpty = value === '' || (Array.isArray(value) && (value.length === 0 || value.includes('')));
    if (!isEmpty || command.getOptionValueSource(name) !== 'cli') continue;
    throw new HarnessError('usage', `option '${option.flags}': the value is empty`, {
      hint: 'Give it one, or leave the option out.',
    });
  }
}

function createProgram(added: readonly AddCommand[], io: CliIo, end: (code: ExitCode) => void): Command {
  const program = new Command('netboot')
    .description('Network-boots emulated machines and says, with evidence, how far each one got.')
    .version(packageVersion(), '--version', 'print the version')
    .option('--debug', 'show where an error comes from')
    .exitOverride()
    .hook('preAction', (_, command) => refuseEmptyValues(command))
    .showHelpAfterError('hint: --help shows options and examples.')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(asTyped(text, io.command)),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .addHelpText('after', examples);
  for (const add of added) add(program, io, end);
  return program;
}

/** Runs the command line: `argv` without node and script. Never throws; errors go to `io.stderr`. */
export async function runProgram(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  try {
    const program = createProgram(await commandsFor(argv), io, (code) => {
      exitCode = code;
    });
    if (argv.length === 0) {
      io.stdout.write(asTyped(program.helpInformation() + examples.concat('\n'), io.command));
      return 2;
    }
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    const code = explainError(error, io, argv.includes('--debug'));
    // Any other code would be an answer to `git bisect run`.
    return argv[0] === 'bisect-step' ? 128 : code;
  }
}
