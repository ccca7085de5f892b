import { memoryEntry, type ServedEntry } from '../tree/served-entry.ts';

/** netascii is for configuration files; the length is known only after conversion, which is done in memory. */
export const maxNetasciiBytes = 1024 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** The file in netascii (RFC 1350 §1, RFC 764): LF as CR LF, CR as CR NUL. */
export async function netasciiEntry(entry: ServedEntry): Promise<ServedEntry> {
  const plain = Buffer.allocUnsafe(entry.bytes);
  await entry.read(0, entry.bytes, plain);
  const converted = Buffer.allocUnsafe(2 * plain.length);
  let length = 0;
  for (const byte of plain) {
    if (byte === lineFeed) converted[length++] = carriageReturn;
    converted[length++] = byte;
    if (byte === carriageReturn) converted[length++] = 0;
  }
  return memoryEntry(entry.name, converted.subarray(0, length));
}
