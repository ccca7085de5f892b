import { describeInspection } from '../../assets/inspect/describe.ts';
import { inspectFile } from '../../assets/inspect/inspect.ts';
import type { AddCommand } from '../command.ts';
import { writeJson, writeLines } from '../io.ts';

export const inspectCommand: AddCommand = (program, io) => {
  program
    .command('inspect')
    .description('Look inside an option ROM, an EFI image, a BIOS boot program, a kernel or a firmware image.')
    .argument('<file>', 'any file at all')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  netboot inspect /usr/lib/ipxe/qemu/efi-e1000.rom\n  netboot inspect /usr/share/OVMF/OVMF_CODE.fd --json',
    )
    .action(async (file: string, options: { json?: boolean }) => {
      const inspection = await inspectFile(file);
      if (options.json) writeJson(io.stdout, inspection);
      else writeLines(io.stdout, describeInspection(inspection));
    });
};
