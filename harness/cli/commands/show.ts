import { declaredText } from '../../model/configuration-text.ts';
import type { Input, Plan } from '../../model/plan.ts';
import { shellWord } from '../../model/shell-word.ts';
import { stageMeanings } from '../../model/stages.ts';
import { seconds } from '../../report/printable.ts';
import { expectationText } from '../../report/run-facts.ts';
import { openArtefacts } from '../artefacts.ts';
import { addMatrixOptions, type CaseOptions, expandChosen, selectOne, warnOfVague } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { writeJson, writeLines } from '../io.ts';
import { planCase } from '../plan-case.ts';

/** The package and description of an input, as far as known. */
function originOf({ package: from, identity }: Input): string {
  const known = [from && `${from.name} ${from.version}`, identity].filter(Boolean);
  return known.length > 0 ? ` (${known.join('; ')})` : '';
}

/** An option and its value belong on one line. */
function argvLines(argv: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of argv) {
    const last = lines.at(-1);
    if (word.startsWith('-') || last === undefined || !/^-\S+$/.test(last)) lines.push(shellWord(word));
    else lines[lines.length - 1] = `${last} ${shellWord(word)}`;
  }
  return lines;
}

function conditionText(when: Plan['boot'][number]['when']): string {
  const facts = Object.entries(when).map(([fact, value]) => `${fact} ${[value].flat().join(' or ')}`);
  return facts.length > 0 ? facts.join(', ') : 'any client';
}

function planLines(plan: Plan): string[] {
  const { scenario, stagePath, boot, inputs, qemu, deadlines } = plan;
  const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  return [
    plan.scenario.id,
    ...indent([
      ...(scenario.title === undefined ? [] : [scenario.title]),
      `expected: ${expectationText(plan.scenario.expect)}`,
      `configuration: ${plan.scenario.configuration === undefined ? 'none declared' : declaredText(plan.scenario)}`,
      `time allowed: ${seconds(deadlines.totalMs)} in all`,
    ]),
    'stages',
    ...indent(stagePath.map((stage) => `${stage.padEnd(14)}${stageMeanings[stage]}`)),
    'boot policy (the first rule that holds)',
    ...indent(
      boot.map(({ name, when, file, answer, options }) => {
        const offer = answer ? (file ?? 'an address only') : 'no answer';
        const raw = options.length > 0 ? `, ${options.length} raw options` : '';
        return `${name}: ${conditionText(when)} → ${offer}${raw}`;
      }),
    ),
    'served',
    ...indent(
      Object.entries(plan.serve).map(([name, file]) => `${name}: ${'path' in file ? file.path : 'inline text'}`),
    ),
    'inputs',
    ...indent(
      inputs.map((input) => `${input.role}: ${input.path} sha256 ${input.sha256.slice(0, 16)}…${originOf(input)}`),
    ),
    'command (accelerator and CPU are prepended)',
    ...indent([qemu.program, ...argvLines(qemu.argv)]),
  ];
}

export const showCommand: AddCommand = (program, io, end) => {
  addMatrixOptions(program.command('show'))
    .description('Show what a case would do: command line, boot policy, stages, expectation. Needs no QEMU.')
    .argument('<case>', 'its id, or a glob that matches only it')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      "\nExamples:\n  netboot show bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled\n  netboot show 'arm-no-rom.*.virtio-net-pci.*' --json",
    )
    .action(async (id: string, options: CaseOptions & { json?: boolean }) => {
      const artefacts = await openArtefacts(options.set ?? [], io);
      const { cells } = await expandChosen(options, artefacts);
      const cell = selectOne(cells, id);
      warnOfVague([cell], io);
      const plan = await planCase(cell, artefacts);
      if (options.json) writeJson(io.stdout, 'missing' in plan ? { scenario: cell, notRun: plan.missing } : plan);
      else if ('missing' in plan) {
        const expected = `expected: ${expectationText(cell.expect)}`;
        writeLines(io.stdout, [cell.id, `  ${expected}`, `  cannot be run here: ${plan.missing}`]);
      } else writeLines(io.stdout, planLines(plan));
      end('missing' in plan ? 3 : 0);
    });
};
