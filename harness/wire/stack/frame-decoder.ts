/** QEMU's side of a stream netdev also rejects a frame longer than this. */
export const maxFrameBytes = 69_632;
/** The length in front of each frame. */
export const framePrefixBytes = 4;

export interface FrameDecoder {
  /** Takes the stream in any chunking. A frame that is whole within a chunk is passed on without a copy. */
  push(chunk: Buffer): void;
}

/**
 * Decodes frames prefixed by their length as 4 bytes, big-endian. After an oversize length the
 * frame boundaries are lost: `onOversize` is called once and everything after is ignored.
 */
export function createFrameDecoder(
  onFrame: (frame: Buffer) => void,
  onOversize: (lengthBytes: number) => void,
): FrameDecoder {
  const prefix = Buffer.alloc(framePrefixBytes);
  let prefixFilled = 0;
  let partial: Buffer | undefined;
  let partialFilled = 0;
  let lost = false;

  /** Copies the chunk's part of a frame begun earlier; returns the bytes taken. */
  function fill(frame: Buffer, chunk: Buffer, at: number): number {
    const taken = chunk.copy(frame, partialFilled, at);
    partialFilled += taken;
    if (partialFilled === frame.length) {
      partial = undefined;
      onFrame(frame);
    }
    return taken;
  }

  return {
    push(chunk) {
      let at = 0;
      while (at < chunk.length && !lost) {
        if (partial !== undefined) {
          at += fill(partial, chunk, at);
          continue;
        }
        let length: number;
        if (prefixFilled === 0 && chunk.length - at >= framePrefixBytes) {
          length = chunk.readUInt32BE(at);
          at += framePrefixBytes;
        } else {
          prefix[prefixFilled++] = chunk[at++] as number;
          if (prefixFilled < framePrefixBytes) continue;
          prefixFilled = 0;
          length = prefix.readUInt32BE(0);
        }
        if (length > maxFrameBytes) {
          lost = true;
          onOversize(length);
        } else if (chunk.length - at >= length) {
          onFrame(chunk.subarray(at, at + length));
          at += length;
        } else {
          partial = Buffer.allocUnsafeSlow(length);
          partialFilled = 0;
        }
      }
    },
  };
}
