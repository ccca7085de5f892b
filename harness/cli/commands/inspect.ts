import { describeInspection } from '../../assets/inspect/describe.ts';
import { type Inspection, inspectFile } from '../../assets/inspect/inspect.ts';
import type { AddCommand } from '../command.ts';
import { writeJson, writeLines } from '../io.ts';

interface Inspected {
  file: string;
  inspection: Inspection;
}

/** A single file without its name; several each under its name, with an empty line between. */
function report(inspected: readonly Inspected[]): string[] {
  const [only, ...others] = inspected;
  if (only === undefined) return [];
  if (others.length === 0) return describeInspection(only.inspection);
  return inspected.flatMap(({ file, inspection }, index) => [
    ...(index > 0 ? [''] : []),
    `${file}:`,
    ...describeInspection(inspection).map((line) => `  ${line}`),
  ]);
}

export const inspectCommand: AddCommand = (program, io) => {
  program
    .command('inspect')
    .description('Look inside option ROMs, EFI images, BIOS boot programs, kernels and firmware images.')
    .argument('<files...>', 'files of any kind')
    .option('--json', 'as JSON: an object for one file, a list for several, each with its file')
    .addHelpText(
      'after',
      '\nExamples:\n  netboot inspect /usr/lib/ipxe/qemu/efi-e1000.rom\n  netboot inspect bin/*.efirom\n  netboot inspect /usr/share/OVMF/OVMF_CODE.fd --json',
    )
    .action(async (files: string[], options: { json?: boolean }) => {
      const inspected: Inspected[] = [];
      const refused: unknown[] = [];
      // One at a time: a flash image takes memory while it is open.
      for (const file of files) {
        try {
          inspected.push({ file, inspection: await inspectFile(file) });
        } catch (error) {
          refused.push(error);
        }
      }
      const plain = inspected.map(({ file, inspection }) => ({ file, ...inspection }));
      if (!options.json) writeLines(io.stdout, report(inspected));
      else if (files.length > 1 || plain.length > 0) writeJson(io.stdout, files.length > 1 ? plain : plain[0]);
      if (refused.length > 0) throw refused[0];
    });
};
