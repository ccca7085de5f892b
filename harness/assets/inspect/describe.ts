import type { BiosFirmwareFacts } from './bios-firmware.ts';
import { asciiText } from './file-text.ts';
import type { FirmwareDriver } from './firmware.ts';
import type { Inspection } from './inspect.ts';
import type { IpxeFacts } from './ipxe.ts';
import type { RomImage } from './option-rom.ts';
import type { PeFacts } from './pe.ts';

const hex = (value: number, digits = 4) => value.toString(16).padStart(digits, '0');
const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`);

function ipxeLines(ipxe: IpxeFacts | null): string[] {
  if (ipxe === null) return [];
  const { version, build, role, pciIds, features } = ipxe;
  const kind = role === 'full' ? 'full iPXE' : 'iPXE cut down to an SNP driver';
  return [
    `${kind}, version ${version ?? 'unknown (compressed)'}${build === null ? '' : `, build ${build}`}`,
    ...(pciIds === null ? [] : [`QEMU NICs it drives: ${pciIds.join(' ') || 'none with its own drivers'}`]),
    ...(features.length > 0 ? [`features: ${features.join(' ')}`] : []),
  ];
}

function peLines(pe: PeFacts): string[] {
  const signers = pe.signatures.map(({ certificates }) => certificates[0] ?? 'unreadable certificate');
  return [
    `PE image: ${pe.machineName}, ${pe.subsystemName}, ${pe.imageBytes} bytes in memory`,
    `sections: ${pe.sections.map(({ name }) => name).join(' ')}`,
    signers.length > 0 ? `signed: ${signers.join('; ')}` : 'not signed',
    ...(pe.sbat.length > 0
      ? [`SBAT: ${pe.sbat.map(({ component, generation }) => `${component} ${generation}`).join(', ')}`]
      : []),
  ];
}

function romImageLines(image: RomImage, index: number): string[] {
  const { efi, bios } = image;
  const ids = [image.deviceId, ...image.deviceIds.filter((id) => id !== image.deviceId)];
  return [
    `image ${index + 1}: ${image.codeTypeName}, at ${image.offset}, ${image.bytes} bytes, for ${hex(image.vendorId)}:${ids
      .map((id) => hex(id))
      .join(
        ',',
      )}, class ${hex(image.classCode, 6)}, PCIR revision ${image.pcirRevision}${image.lastImage ? ', last image' : ''}`,
    ...indent([
      ...(bios === null
        ? []
        : [
            `${bios.initBytes} bytes to load, checksum ${bios.checksumGood ? 'good' : 'BAD'}${bios.undi ? ', UNDI' : ''}`,
            ...(bios.pnp === null
              ? []
              : [`PnP: ${bios.pnp.product} (${bios.pnp.manufacturer})${bios.pnp.bootEntry ? ', bootable' : ''}`]),
          ]),
      ...(efi === null
        ? []
        : [
            `EFI: ${efi.machineName}, ${efi.subsystemName}, ${efi.compressed ? `compressed, ${efi.imageBytes} bytes decompressed` : 'not compressed'}`,
            ...(efi.problem === null ? [] : [`problem: ${efi.problem}`]),
            ...(efi.pe === null ? [] : [efi.pe.signatures.length > 0 ? 'signed' : 'not signed']),
          ]),
      ...ipxeLines(image.ipxe),
    ]),
  ];
}

function driverLine({ name, guid, type, format, bytes, network }: FirmwareDriver): string {
  return `${guid} ${asciiText(name ?? '(no name)')}, ${type}, ${format}, ${bytes} bytes${network === null ? '' : `, network: ${network}`}`;
}

function biosName({ program, version }: BiosFirmwareFacts): string {
  const name = program === 'unknown' ? 'vendor unknown' : program;
  return version === null ? name : `${name} ${version}`;
}

function bodyLines(result: Inspection): string[] {
  switch (result.type) {
    case 'option-rom':
      return [
        `PCI option ROM, ${result.images.length} image${result.images.length === 1 ? '' : 's'}`,
        ...indent(result.images.flatMap(romImageLines)),
        ...(result.trailingBytes > 0 ? [`${result.trailingBytes} bytes after the last image`] : []),
        ...result.problems.map((problem) => `problem: ${problem}`),
      ];
    case 'firmware': {
      const network = result.drivers.filter((driver) => driver.network !== null);
      const nics = network.filter((driver) => driver.network === 'nic' || driver.network === 'usb');
      return [
        `UEFI firmware${result.machines.length > 0 ? ` for ${result.machines.join(' and ')}` : ''}, version ${result.versions.join(', ') || 'unknown'}`,
        ...result.volumes.map(
          (volume) =>
            `${'  '.repeat(volume.depth > 0 ? 2 : 1)}volume at ${volume.offset}: ${volume.fileSystem}, ${volume.bytes} bytes, ${volume.files} files`,
        ),
        ...(result.compressions.length > 0 ? [`compression: ${result.compressions.join(', ')}`] : []),
        ...(result.drivers.length > 0
          ? [
              `drivers: ${result.drivers.length}, of them ${network.length} for the network`,
              `drives NICs: ${nics.map(({ name, guid }) => name ?? guid).join(', ') || 'none'}`,
              ...indent(result.drivers.map(driverLine)),
            ]
          : []),
        ...result.problems.map((problem) => `problem: ${problem}`),
      ];
    }
    case 'bios':
      return [`legacy BIOS firmware, ${biosName(result)}`, `dated ${result.date}; recognised by its reset vector`];
    case 'kernel':
      return [
        `Linux boot image, ${result.format}, version ${result.version ?? 'unknown'}`,
        ...(result.bootProtocol === null ? [] : [`boot protocol ${result.bootProtocol}`]),
        ...(result.pe === null ? ['no EFI stub'] : ['EFI stub', ...indent(peLines(result.pe))]),
      ];
    case 'pe':
      return [...peLines(result.pe), ...ipxeLines(result.ipxe)];
    case 'bios-nbp':
      return [
        `BIOS network boot program, by its strings: ${result.program}${result.version === null ? '' : ` ${result.version}`}`,
        `string: "${result.evidence}"`,
      ];
    case 'broken':
      return [`looks like ${result.looksLike}, but ${result.problem}`];
    case 'unknown':
      return [result.guess === null ? 'an unknown kind of file' : result.guess];
  }
}

/** Lines of text for people, printable ASCII only. */
export function describeInspection(result: Inspection): string[] {
  const [first = '', ...rest] = bodyLines(result);
  return [`${first} (${result.bytes} bytes)`, ...indent(rest)];
}

/** One line for a list of inputs: what the file is, which build. */
export function identityOf(result: Inspection): string {
  switch (result.type) {
    case 'option-rom':
      return `option ROM: ${result.images
        .map(({ codeTypeName, efi, ipxe }) => {
          const what =
            ipxe === null
              ? ''
              : ` iPXE ${ipxe.version ?? ''}${ipxe.role === 'driver' ? ' (SNP driver)' : ''}`.trimEnd();
          return `${codeTypeName}${efi === null ? '' : ` ${efi.machineName}`}${what}`;
        })
        .join(' + ')}`;
    case 'firmware':
      return `UEFI firmware ${result.versions[0] ?? ''}`.trimEnd();
    case 'bios':
      return `BIOS firmware, ${biosName(result)}`;
    case 'kernel':
      return `${result.format} ${result.version?.split(' ')[0] ?? ''}`.trimEnd();
    case 'pe': {
      const ipxe = result.ipxe === null ? '' : `, iPXE ${result.ipxe.version ?? ''}`.trimEnd();
      return `EFI ${result.pe.machineName} ${result.pe.subsystemName}${ipxe}${result.pe.signatures.length > 0 ? ', signed' : ''}`;
    }
    case 'bios-nbp':
      return `BIOS NBP: ${result.program}${result.version === null ? '' : ` ${result.version}`}`;
    case 'broken':
      return `broken: ${result.looksLike}`;
    case 'unknown':
      return result.guess ?? 'unknown';
  }
}
