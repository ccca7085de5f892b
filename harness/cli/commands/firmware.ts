import { extractDriver } from '../../assets/derive/extract-drivers.ts';
import { describeInspection } from '../../assets/inspect/describe.ts';
import { inspectBytes } from '../../assets/inspect/inspect.ts';
import { readBounded } from '../../assets/inspect/read-bounded.ts';
import type { AddCommand } from '../command.ts';
import { writeLines } from '../io.ts';
import { writeOutput } from '../write-output.ts';

export const firmwareCommand: AddCommand = (program, io) => {
  const firmware = program.command('firmware').description('Take UEFI flash images apart.');
  firmware
    .command('extract')
    .description('Extract a driver from a UEFI flash image, such as VirtioNetDxe for an SNP option ROM.')
    .argument('<image>', 'a flash image, such as /usr/share/OVMF/OVMF_CODE_4M.fd')
    .argument('<driver>', 'its name or GUID, as `netboot inspect` lists it')
    .option('--out <file>', 'where the EFI image goes (default: DRIVER.efi)')
    .addHelpText(
      'after',
      '\nExample:\n  netboot firmware extract /usr/share/AAVMF/AAVMF_CODE.fd VirtioNetDxe --out VirtioNetDxe.efi',
    )
    .action(async (image: string, driver: string, { out = `${driver}.efi` }: { out?: string }) => {
      const bytes = extractDriver(await readBounded(image), driver);
      await writeOutput(out, bytes);
      writeLines(io.stdout, [out, ...describeInspection(inspectBytes(bytes))]);
    });
};
