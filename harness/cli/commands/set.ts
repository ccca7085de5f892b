import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Scan, scanFolder } from '../../assets/sets/scan.ts';
import { manifestFile } from '../../assets/sets/set-manifest.ts';
import { HarnessError, systemErrorText } from '../../model/errors.ts';
import { openArtefacts } from '../artefacts.ts';
import type { AddCommand } from '../command.ts';
import { writeJson, writeLines } from '../io.ts';
import { writeOutput } from '../write-output.ts';

function scanLines({ manifest, ambiguous, unplaced, others }: Scan): string[] {
  const { firmware = [], roms = [], nbps = [], kernels = [] } = manifest;
  const placed = [
    ...firmware.map(({ firmware: name, arch, code, vars, secureBoot }) => [
      `firmware ${name}, ${arch}${secureBoot === undefined ? '' : `, Secure Boot ${secureBoot}`}`,
      vars === undefined ? code : `${code} with ${vars}`,
    ]),
    ...roms.map(({ nic, kind, arch, path }) => [`ROM of ${nic}, ${kind}, ${arch}`, path]),
    ...nbps.map(({ secondStage, arch, bios, path }) => [`${secondStage}, ${arch}, ${bios ? 'BIOS' : 'UEFI'}`, path]),
    ...kernels.map(({ arch, kernel }) => [`kernel, ${arch}`, kernel]),
  ] as [string, string][];
  const width = Math.max(0, ...placed.map(([what]) => what.length));
  return [
    `set ${manifest.name}:`,
    ...placed.map(([what, path]) => `  ${what.padEnd(width)}  ${path}`),
    ...(ambiguous.length > 0 ? ['ambiguous, so left out (choose one in set.json):'] : []),
    ...ambiguous.flatMap(({ place, paths }) => [`  ${place}`, ...paths.map((path) => `    ${path}`)]),
    ...(unplaced.length > 0 ? ['not placed:'] : []),
    ...unplaced.map(({ path, reason }) => `  ${path}: ${reason}`),
    `${others} other files are not bootable`,
  ];
}

export const setCommand: AddCommand = (program, io, end) => {
  const set = program.command('set').description('Make artefact sets of your own.');
  set
    .command('scan')
    .description('Inspect every file below a folder and make a set of the firmware, ROMs and loaders found.')
    .argument('<dir>', 'a build folder, such as src/bin-x86_64-efi of iPXE or Build/OvmfX64/DEBUG_GCC/FV of edk2')
    .option('--write', `write ${manifestFile} into the folder; without it \`--set DIR\` scans each time`)
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  netboot set scan ipxe/src/bin-arm64-efi\n  netboot set scan build --write && netboot run --set build',
    )
    .action(async (directory: string, options: { write?: boolean; json?: boolean }) => {
      const { inspections, fingerprints } = await openArtefacts([], io);
      const scan = await scanFolder(directory, { inspections, fingerprints }).catch((cause: NodeJS.ErrnoException) => {
        if (cause instanceof HarnessError) throw cause;
        throw new HarnessError('usage', `${directory}: expected a readable folder: ${systemErrorText(cause)}`, {
          hint: 'Name a folder with a build in it.',
          cause,
        });
      });
      await fingerprints.save();
      const file = join(directory, manifestFile);
      if (options.write) {
        if (existsSync(file)) {
          throw new HarnessError('usage', `${file} already exists`, {
            hint: 'Move it away first; --write does not overwrite.',
          });
        }
        await writeOutput(file, Buffer.from(`${JSON.stringify(scan.manifest, null, 2)}\n`));
      }
      if (options.json) writeJson(io.stdout, scan);
      else writeLines(io.stdout, scanLines(scan));
      const { firmware = [], roms = [], nbps = [], kernels = [] } = scan.manifest;
      end([...firmware, ...roms, ...nbps, ...kernels].length > 0 ? 0 : 3);
    });
};
