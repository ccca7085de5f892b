import type { ImageKind } from '../../model/image-kinds.ts';

/** How much of a file's beginning is looked at: enough for the headers of any loader or kernel in use. */
export const imageHeadBytes = 1024;

/** Machine types of the COFF header (PE format, "Machine Types"). */
const machines: Readonly<Record<number, ImageKind>> = {
  332: 'efi-ia32',
  450: 'efi-arm',
  20580: 'efi-riscv64',
  25188: 'efi-loongarch64',
  34404: 'efi-x64',
  43620: 'efi-aa64',
};

const peOffsetAt = 0x3c;
const peSignature = 'PE\0\0';
/** Linux/x86 boot protocol: `header`, at 0x202. */
const bzImageSignature = { at: 0x202, text: 'HdrS' } as const;
const scriptMagic = '#!ipxe';

const hasText = (head: Buffer, at: number, text: string): boolean =>
  head.toString('latin1', at, at + text.length) === text;

/** What a file is, from its first `imageHeadBytes`, or all of it if it is shorter. */
export function imageOf(head: Buffer): ImageKind {
  if (hasText(head, bzImageSignature.at, bzImageSignature.text)) return 'bzimage';
  if (hasText(head, 0, scriptMagic)) return 'ipxe-script';
  if (!hasText(head, 0, 'MZ') || head.length < peOffsetAt + 4) return 'other';
  const at = head.readUInt32LE(peOffsetAt);
  if (!hasText(head, at, peSignature) || head.length < at + 6) return 'other';
  return machines[head.readUInt16LE(at + peSignature.length)] ?? 'efi-other';
}
