const enhancedPacket = 6;

/** The frames of a pcapng file (draft-ietf-opsawg-pcapng), read knowing nothing of the writer; throws where it is broken. */
export function readFrames(data: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < data.length; ) {
    const length = data.readUInt32LE(at + 4);
    if (length < 12 || data.readUInt32LE(at + length - 4) !== length) throw new Error(`a broken block at ${at}`);
    if (data.readUInt32LE(at) === enhancedPacket) {
      frames.push(data.subarray(at + 28, at + 28 + data.readUInt32LE(at + 20)));
    }
    at += length;
  }
  return frames;
}
