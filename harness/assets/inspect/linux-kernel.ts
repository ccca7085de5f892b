import { cString } from './file-text.ts';
import { MalformedFile, need } from './malformed.ts';
import { inspectPe, isPe, type PeFacts } from './pe.ts';

export interface LinuxKernelFacts {
  readonly format: 'bzImage' | 'arm64 Image' | 'riscv64 Image' | 'EFI zboot';
  /** The kernel's version string, such as `6.1.0-40-amd64 (debian-kernel@…) …`; null where the format does not carry it. */
  readonly version: string | null;
  /** x86 boot protocol, such as `2.15` (Documentation/arch/x86/boot.rst). */
  readonly bootProtocol: string | null;
  /** Memory the image wants, where its header says. */
  readonly imageBytes: number | null;
  /** The EFI stub: firmware can start the kernel as an application. */
  readonly pe: PeFacts | null;
}

const peOf = (bytes: Buffer) => (isPe(bytes) ? inspectPe(bytes) : null);

function isBzImage(bytes: Buffer): boolean {
  return (
    bytes.length > 0x264 && bytes.readUInt16LE(0x1fe) === romMagic && bytes.toString('latin1', 0x202, 0x206) === 'HdrS'
  );
}

const romMagic = 0xaa55;
const arm64Magic = 'ARM\x64';
const riscvMagic = 'RSC\x05';

function magicAt38(bytes: Buffer): string {
  return bytes.length >= 0x40 ? bytes.toString('latin1', 0x38, 0x3c) : '';
}

function isZboot(bytes: Buffer): boolean {
  return isPe(bytes) && bytes.toString('latin1', 4, 8) === 'zimg';
}

export function isLinuxKernel(bytes: Buffer): boolean {
  return isBzImage(bytes) || magicAt38(bytes) === arm64Magic || magicAt38(bytes) === riscvMagic || isZboot(bytes);
}

function bannerVersion(bytes: Buffer): string | null {
  const at = bytes.indexOf('Linux version ', 0, 'latin1');
  if (at < 0) return null;
  // Some kernels have a format string with the same words first.
  const text = cString(bytes, at + 'Linux version '.length);
  return text.startsWith('%') ? null : text;
}

/** Throws MalformedFile. */
export function inspectLinuxKernel(bytes: Buffer): LinuxKernelFacts {
  if (isBzImage(bytes)) {
    const protocol = bytes.readUInt16LE(0x206);
    const versionAt = bytes.readUInt16LE(0x20e);
    return {
      format: 'bzImage',
      version: versionAt === 0 ? null : cString(bytes, versionAt + 0x200) || null,
      bootProtocol: `${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}`,
      imageBytes: protocol >= 0x20a ? bytes.readUInt32LE(0x260) : null,
      pe: peOf(bytes),
    };
  }
  if (isZboot(bytes))
    return { format: 'EFI zboot', version: null, bootProtocol: null, imageBytes: null, pe: peOf(bytes) };
  const magic = magicAt38(bytes);
  if (magic !== arm64Magic && magic !== riscvMagic) throw new MalformedFile('not a Linux kernel');
  need(bytes, 0, 0x40, 'the kernel header');
  return {
    format: magic === arm64Magic ? 'arm64 Image' : 'riscv64 Image',
    version: bannerVersion(bytes),
    bootProtocol: null,
    imageBytes: bytes.readUInt32LE(16),
    pe: peOf(bytes),
  };
}
