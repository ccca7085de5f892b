import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import { shellWord } from '../model/shell-word.ts';
import { planStandalone } from '../plan/standalone.ts';
import { notHere } from '../run/again/plan-again.ts';
import type { PlannedCase } from '../run/again/same-case.ts';
import { writeStandalone } from '../run/bundle/write-standalone.ts';
import type { Artefacts } from './artefacts.ts';
import { type CliIo, writeLines } from './io.ts';
import { planCase } from './plan-case.ts';

export interface ReproCase {
  scenario: Scenario;
  /** As it was run before. */
  run?: PlannedCase;
}

async function planHere(scenario: Scenario, artefacts: Artefacts): Promise<Plan> {
  const plan = await planCase(scenario, artefacts);
  if (!('missing' in plan)) return plan;
  throw notHere(scenario, plan.missing);
}

function argumentsOf({ qemu: { cpu, argv } }: Plan): string[] {
  return ['-accel', 'tcg', ...(cpu.tcg === undefined ? [] : ['-cpu', cpu.tcg]), ...argv];
}

/** Prints the QEMU command line that the harness uses, or used. */
export async function printCommand({ scenario, run }: ReproCase, artefacts: Artefacts, io: CliIo): Promise<void> {
  const plan = run?.plan ?? (await planHere(scenario, artefacts));
  const words = [plan.qemu.program, ...(run?.qemu?.argv ?? argumentsOf(plan))];
  const held = Object.entries(plan.qemu.fds).map(([what, fd]) => `${fd} (${what})`);
  writeLines(io.stdout, [
    `# The harness holds descriptors ${held.join(', ')}; --standalone DIR writes a command that runs without it.`,
  ]);
  // To be pasted: a line feed in an argument is part of it.
  io.stdout.write(`${words.map(shellWord).join(' ')}\n`);
}

/** An iPXE that contains this name looks for the file where it was loaded from, before DHCP. */
const looksForAutoexec = async (path: string | undefined): Promise<boolean> =>
  path !== undefined && (await readFile(path)).includes('autoexec.ipxe');

export interface WithoutHarness {
  folder: string;
  artefacts: Artefacts;
  io: CliIo;
}

/**
 * Writes a folder from which plain QEMU boots the case, planned again from its scenario, and lists the differences.
 * @throws HarnessError `usage` with the reason if QEMU's user network cannot do what the case needs
 */
export async function writeWithoutHarness({ scenario }: ReproCase, given: WithoutHarness): Promise<void> {
  const { folder, artefacts, io } = given;
  const plan = await planHere(scenario, artefacts);
  const nbp = plan.inputs.find(({ role }) => role === 'nbp')?.path;
  const standalone = planStandalone(plan, { accel: 'tcg', nbpRunsAutoexec: await looksForAutoexec(nbp) });
  if ('impossible' in standalone) {
    throw new HarnessError('usage', `${scenario.id} cannot be run without the harness: ${standalone.impossible}`, {
      hint: '--print shows the command line that the harness starts.',
    });
  }
  await writeStandalone(plan, standalone, resolve(folder));
  writeLines(io.stdout, [
    `sh ${shellWord(join(folder, 'run.sh'))}`,
    'What differs from a run of the harness:',
    ...standalone.differs.map((difference) => `- ${difference}`),
  ]);
}
