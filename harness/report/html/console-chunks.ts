import type { ConsoleChunk } from './report-data.ts';

/** A moment at which the console had shown the first `offset` bytes of the serial port. */
export interface ConsoleMark {
  tMs: number;
  offset: number;
}

/** The upper half of code page 437, which firmware draws its boxes with on PC-ANSI terminals. */
const upperCp437 =
  'ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0';

function decodeCp437(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/[\u0080-\u00ff]/g, (char) => upperCp437[char.charCodeAt(0) - 0x80] ?? char);
}

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** Decodes a stream piece by piece: UTF-8 where all of it is that, code page 437 otherwise. */
function decoderFor(serial: Buffer): (piece: Buffer) => string {
  if (!isUtf8(serial)) return decodeCp437;
  const decoder = new TextDecoder('utf-8');
  return (piece) => decoder.decode(piece, { stream: true });
}

/** Cuts what the serial port sent at the moments when it was seen on the console. */
export function consoleChunks(serial: Buffer, marks: readonly ConsoleMark[]): ConsoleChunk[] {
  const decode = decoderFor(serial);
  const chunks: ConsoleChunk[] = [];
  let read = 0;
  let lastMs = 0;
  for (const { tMs, offset } of marks) {
    lastMs = tMs;
    const end = Math.min(offset, serial.length);
    if (end <= read) continue;
    chunks.push([tMs, decode(serial.subarray(read, end))]);
    read = end;
  }
  if (read < serial.length) chunks.push([lastMs, decode(serial.subarray(read))]);
  return chunks;
}
