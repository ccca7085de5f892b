/** A GUID in the mixed-endian form of UEFI (appendix A), upper case. The 16 bytes must be there. */
export function readGuid(bytes: Buffer, offset: number): string {
  const hex = (at: number, length: number, little: boolean) =>
    (little ? bytes.readUIntLE(at, length) : bytes.readUIntBE(at, length)).toString(16).padStart(length * 2, '0');
  return [
    hex(offset, 4, true),
    hex(offset + 4, 2, true),
    hex(offset + 6, 2, true),
    hex(offset + 8, 2, false),
    hex(offset + 10, 6, false),
  ]
    .join('-')
    .toUpperCase();
}
