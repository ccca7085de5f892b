import { InvalidArgumentError, Option } from 'commander';
import { describeInspection } from '../../assets/inspect/describe.ts';
import { inspectBytes } from '../../assets/inspect/inspect.ts';
import { readBounded } from '../../assets/inspect/read-bounded.ts';
import { makeOptionRom } from '../../assets/rom/make.ts';
import { collect } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { writeLines } from '../io.ts';
import { writeOutput } from '../write-output.ts';

interface RomMakeOptions {
  id?: { vendorId: number; deviceId: number };
  bios?: string;
  efi?: string[];
  subsystem?: number;
  class?: number;
  out: string;
}

function parseIds(text: string): NonNullable<RomMakeOptions['id']> {
  const [, vendor, device] = /^([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(text) ?? [];
  if (vendor === undefined || device === undefined)
    throw new InvalidArgumentError('Expected vendor:device in hex, such as 8086:100e.');
  return { vendorId: Number.parseInt(vendor, 16), deviceId: Number.parseInt(device, 16) };
}

function parseHex(text: string): number {
  if (!/^(0x)?[0-9a-f]{1,6}$/i.test(text))
    throw new InvalidArgumentError('Expected a number in hex, such as 0x020000.');
  return Number.parseInt(text, 16);
}

export const romCommand: AddCommand = (program, io) => {
  const rom = program.command('rom').description('Build option ROMs.');
  rom
    .command('make')
    .description('Build a PCI option ROM from EFI PE images and a BIOS image.')
    .option('--id <vendor:device>', "PCI ids of the NIC it is for, in hex, instead of the BIOS image's", parseIds)
    .requiredOption('--out <file>', 'where the ROM goes')
    .option('--bios <file>', 'a BIOS option ROM, whose first image goes first')
    .addOption(new Option('--efi <file>', 'an EFI PE image; may be repeated').argParser(collect))
    .option(
      '--subsystem <hex>',
      'subsystem of the EFI headers (default: c for a runtime driver, b for any other: a boot service driver)',
      parseHex,
    )
    .option('--class <hex>', 'PCI class code (default: 0x020000, Ethernet)', parseHex)
    .addHelpText('after', '\nExample:\n  netboot rom make --id 1af4:1000 --efi VirtioNetDxe.efi --out vendor-snp.rom')
    .action(async ({ id, bios, efi = [], subsystem, class: classCode, out }: RomMakeOptions) => {
      const images = [
        ...(bios === undefined ? [] : [{ kind: 'bios' as const, image: await readBounded(bios) }]),
        ...(await Promise.all(
          efi.map(async (file) => ({ kind: 'efi' as const, pe: await readBounded(file), subsystem })),
        )),
      ];
      const bytes = makeOptionRom({ ...id, classCode, images });
      await writeOutput(out, bytes);
      writeLines(io.stdout, [out, ...describeInspection(inspectBytes(bytes))]);
    });
};
