import { adjustChecksum } from '../codecs/checksum.ts';
import type { FrameMessage } from './message.ts';

/** The word at an offset, as a checksum adds it: an odd last byte is padded with zero, not with what follows it. */
const wordAt = (frame: Buffer, at: number, end: number): number =>
  at + 1 < end ? frame.readUInt16BE(at) : (frame[at] as number) << 8;

function mend(copy: Buffer, frame: Buffer, at: number, { payloadAt, payloadEnd, checksum }: FrameMessage): void {
  if (checksum === undefined) return;
  const before = frame.readUInt16BE(checksum.at);
  if (checksum.isOptional && before === 0) return;
  // Payloads begin at an even offset of what the checksum covers.
  const word = at - ((at - payloadAt) % 2);
  const after = adjustChecksum(before, wordAt(frame, word, payloadEnd), wordAt(copy, word, payloadEnd));
  copy.writeUInt16BE(checksum.isOptional && after === 0 ? 0xffff : after, checksum.at);
}

/** Whether there is a payload to damage: a bare acknowledgement of TCP has none. */
export const hasPayload = ({ payloadAt, payloadEnd }: FrameMessage): boolean => payloadAt < payloadEnd;

/** A copy with one bit of its payload flipped; `isMended` adjusts the checksum, if there is one. */
export function corrupted(frame: Buffer, message: FrameMessage, random: () => number, isMended: boolean): Buffer {
  const { payloadAt, payloadEnd } = message;
  const at = payloadAt + Math.floor(random() * (payloadEnd - payloadAt));
  const copy = Buffer.from(frame);
  copy[at] = (copy[at] as number) ^ (1 << Math.floor(random() * 8));
  if (isMended) mend(copy, frame, at, message);
  return copy;
}
