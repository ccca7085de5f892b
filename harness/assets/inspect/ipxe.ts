import { asciiText } from './file-text.ts';
import { drivenPciIds } from './ipxe-drivers.ts';

/** What an uncompressed (or decompressed) iPXE image shows. */
export interface IpxeFacts {
  /** Such as `1.21.1+git20250501`; null where it is compressed (every BIOS build). */
  readonly version: string | null;
  /** Build target, such as `82540em.efidrv`; null as for the version. */
  readonly build: string | null;
  /** `full`: takes part in the firmware's boot; `driver`: only provides an SNP interface to the firmware. */
  readonly role: 'full' | 'driver';
  /** PCI ids of QEMU's NICs that it has drivers for, as `8086:100e`; null where the image is compressed. */
  readonly pciIds: readonly string[] | null;
  /** Names from the banner's "Features:" line that the image contains; empty for a driver. */
  readonly features: readonly string[];
}

const featureNames = [
  'AoE',
  'bzImage',
  'COMBOOT',
  'DNS',
  'EFI',
  'ELF',
  'FCoE',
  'FDT',
  'FTP',
  'GZIP',
  'HTTP',
  'HTTPS',
  'iSCSI',
  'Menu',
  'MBOOT',
  'NBI',
  'NFS',
  'PNG',
  'PXE',
  'PXEXT',
  'SLAM',
  'SRP',
  'SYSLOG',
  'TFTP',
  'VLAN',
  'WIM',
  'ZLIB',
] as const;

const versionPattern = /^\d+\.\d+\.\d+[\w.+~:() -]*$/;
const buildPattern = /^[\w.-]+\.(efi|efidrv|efirom|pxe|kpxe|lkrn|rom|sys)$/;
/** Version, build name and product are adjacent constants of `core/version.c`. */
const nearbyBytes = 128;

/**
 * The GUID that builds with EFI_DOWNGRADE_UX (CONFIG=qemu) install instead of the load file protocol, so that the
 * firmware's PXE uses their SNP (iPXE interface/efi/efi_snp.c).
 */
const downgraded = '#slow #unhelpful';

function* stringsAround(bytes: Buffer, at: number): Generator<string> {
  const region = bytes.toString('latin1', Math.max(0, at - nearbyBytes), at + nearbyBytes);
  for (const text of region.split('\0')) if (text !== '') yield text;
}

function find(bytes: Buffer, text: string): Buffer | undefined {
  return bytes.includes(text, 0, 'latin1') ? bytes : undefined;
}

/** Newer builds keep the build name in UCS-2 and repeat it in their SBAT line. */
function sbatText(bytes: Buffer): string {
  const at = bytes.indexOf('ipxe,', 0, 'latin1');
  return at < 0 ? '' : bytes.toString('latin1', at, at + 200);
}

/** `undefined`: not iPXE. The image must be decompressed. */
export function inspectIpxe(bytes: Buffer): IpxeFacts | undefined {
  let version: string | null = null;
  let build: string | null = null;
  const product = Buffer.from('iPXE\0', 'latin1');
  for (
    let at = bytes.indexOf(product), tries = 0;
    at >= 0 && tries < 32;
    at = bytes.indexOf(product, at + 1), tries++
  ) {
    for (const text of stringsAround(bytes, at)) {
      if (versionPattern.test(text)) version ??= asciiText(text, 80);
      if (buildPattern.test(text)) build ??= asciiText(text, 80);
    }
    if (version !== null) break;
  }
  const sbat = /ipxe,\d+,iPXE,([\w.-]+),([\w.+~-]+),/.exec(sbatText(bytes));
  version ??= sbat?.[2] ?? null;
  build ??= sbat?.[1] ?? null;
  const banner = find(bytes, 'ipxe.org');
  if (version === null && banner === undefined) return undefined;
  // BIOS builds are compressed except for their start, and never only a driver.
  const compressed = version === null;
  const full = compressed || (find(bytes, downgraded) === undefined && find(bytes, 'Features:') !== undefined);
  const features = !full || compressed ? [] : featureNames.filter((name) => bytes.includes(`\0${name}\0`, 0, 'latin1'));
  return { version, build, role: full ? 'full' : 'driver', pciIds: compressed ? null : drivenPciIds(bytes), features };
}
