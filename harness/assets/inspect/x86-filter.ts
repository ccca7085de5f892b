/**
 * Undoes the x86 branch filter (BCJ) of edk2's "LZMA F86" sections: absolute targets of CALL and JMP become relative
 * again. A transcription of x86_Convert of the LZMA SDK 18; works in place.
 */
export function undoX86Filter(bytes: Buffer): Buffer {
  const end = bytes.length - 5;
  let mask = 0;
  let previous = -1;
  const isEdge = (byte: number) => byte === 0 || byte === 0xff;
  const allowed = [true, true, true, false, true, false, false, false] as const;
  const bitNumber = [0, 1, 2, 2, 3, 3, 3, 3] as const;
  for (let at = 0; at <= end; ) {
    if (((bytes[at] as number) & 0xfe) !== 0xe8) {
      at++;
      continue;
    }
    const gap = at - previous;
    previous = at;
    if (gap > 3) mask = 0;
    else {
      mask = (mask << (gap - 1)) & 7;
      if (mask !== 0) {
        const byte = bytes[at + 4 - (bitNumber[mask] as number)] as number;
        if (!allowed[mask] || isEdge(byte)) {
          mask = ((mask << 1) & 7) | 1;
          at++;
          continue;
        }
      }
    }
    if (!isEdge(bytes[at + 4] as number)) {
      mask = ((mask << 1) & 7) | 1;
      at++;
      continue;
    }
    let value = bytes.readUInt32LE(at + 1);
    let target = 0;
    // It settles within two rounds; the bound is for data that no encoder made.
    for (let round = 0; round < 8; round++) {
      target = (value - (at + 5)) >>> 0;
      if (mask === 0) break;
      const shift = (bitNumber[mask] as number) * 8;
      if (!isEdge((target >>> (24 - shift)) & 0xff)) break;
      value = (target ^ (2 ** (32 - shift) - 1)) >>> 0;
    }
    bytes.writeUInt32LE(((target & 0x01ffffff) | ((target & 0x01000000) === 0 ? 0 : 0xfe000000)) >>> 0, at + 1);
    at += 5;
  }
  return bytes;
}
