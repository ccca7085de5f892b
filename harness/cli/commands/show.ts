import { expectationText } from '../../report/run-facts.ts';
import { openArtefacts } from '../artefacts.ts';
import { addMatrixOptions, type CaseOptions, expandChosen, selectOne, warnOfVague } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { writeJson, writeLines } from '../io.ts';
import { planCase } from '../plan-case.ts';
import { planLines } from '../plan-lines.ts';

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
