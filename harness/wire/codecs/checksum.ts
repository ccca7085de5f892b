/** Adds the bytes as 16-bit big-endian words, an odd last one padded with zero (RFC 1071); not yet folded. */
export function sumBytes(data: Uint8Array, start: number, end: number, initial = 0): number {
  let sum = initial;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    sum +=
      (((data[at] as number) + (data[at + 2] as number) + (data[at + 4] as number) + (data[at + 6] as number)) << 8) +
      (data[at + 1] as number) +
      (data[at + 3] as number) +
      (data[at + 5] as number) +
      (data[at + 7] as number);
  }
  for (; at + 2 <= end; at += 2) sum += ((data[at] as number) << 8) + (data[at + 1] as number);
  if (at < end) sum += (data[at] as number) << 8;
  return sum;
}

/** Folds a sum to 16 bits and complements it: the checksum, or 0 over data that includes a correct one. */
export function finishChecksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = Math.floor(folded / 0x10000) + (folded % 0x10000);
  return ~folded & 0xffff;
}

/** The checksum after one 16-bit word changed (RFC 1624 §3, equation 3). */
export function adjustChecksum(checksum: number, oldWord: number, newWord: number): number {
  return finishChecksum((~checksum & 0xffff) + (~oldWord & 0xffff) + newWord);
}
