import fc from 'fast-check';
import { finishChecksum, sumBytes } from '../../harness/wire/codecs/checksum.ts';
import { ethernetHeaderBytes, etherTypes } from '../../harness/wire/codecs/ethernet.ts';
import { type IpView, protocols, sumPseudoHeader } from '../../harness/wire/codecs/ip.ts';
import { ipv4HeaderBytes, parseIpv4 } from '../../harness/wire/codecs/ipv4.ts';
import { ipv6HeaderBytes, parseIpv6 } from '../../harness/wire/codecs/ipv6.ts';
import { randomFrom } from '../../harness/wire/faults/random.ts';

const kinds = ['byte', 'word', 'flip', 'cut', 'remove', 'repeat', 'fill'] as const;

/** One change: where, as a share of the length in 65,536ths, and with what. */
type Edit = readonly [kind: (typeof kinds)[number], at: number, value: number];

export interface Mutation {
  readonly edits: readonly Edit[];
  /** Lengths and checksums are made right afterwards, so that the change reaches the layers above. */
  readonly mends: boolean;
}

/** Values at which arithmetic on lengths and offsets goes wrong. */
const corners = [0, 1, 2, 3, 4, 7, 8, 20, 28, 60, 127, 128, 255, 256, 0x7fff, 0x8000, 0xfffe, 0xffff];

const edit: fc.Arbitrary<Edit> = fc.tuple(
  fc.constantFrom(...kinds),
  fc.nat(0xffff),
  fc.oneof(fc.constantFrom(...corners), fc.nat(0xffff)),
);

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  edits: fc.array(edit, { minLength: 1, maxLength: 4 }),
  mends: fc.boolean(),
});

/** The same as `mutation` without fast-check, for a program that makes a great many: fixtures/hostile-guest.mjs. */
export function randomMutation(random: () => number): Mutation {
  const below = (bound: number): number => Math.floor(random() * bound);
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)] as T;
  const edits = Array.from(
    { length: 1 + below(4) },
    (): Edit => [oneOf(kinds), below(0x1_0000), random() < 0.5 ? oneOf(corners) : below(0x1_0000)],
  );
  return { edits, mends: random() < 0.5 };
}

const edited: Record<(typeof kinds)[number], (bytes: Buffer, at: number, value: number) => Buffer> = {
  byte: (bytes, at, value) => {
    bytes[at] = value & 0xff;
    return bytes;
  },
  word: (bytes, at, value) => {
    if (at + 2 <= bytes.length) bytes.writeUInt16BE(value, at);
    return bytes;
  },
  flip: (bytes, at, value) => {
    bytes[at] = (bytes[at] as number) ^ (1 << (value % 8));
    return bytes;
  },
  cut: (bytes, at) => bytes.subarray(0, at),
  remove: (bytes, at, value) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + (value % 16))]),
  repeat: (bytes, at, value) => Buffer.concat([bytes.subarray(0, at + 1 + (value % 64)), bytes.subarray(at)]),
  fill: (bytes, at, value) => bytes.fill(value & 0xff, at, Math.min(bytes.length, at + 1 + (value % 32))),
};

/** A changed copy; at most some hundred bytes longer. */
export function mutated(original: Buffer, { edits }: Pick<Mutation, 'edits'>): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (const [kind, share, value] of edits) {
    if (bytes.length > 0) bytes = edited[kind](bytes, Math.floor((share * bytes.length) / 0x1_0000), value);
  }
  return bytes;
}

/** A changed copy of a frame, never shorter than an Ethernet header: a link drops those. */
export function mutatedFrame(original: Buffer, change: Mutation): Buffer {
  const frame = mutated(original, change);
  if (frame.length < ethernetHeaderBytes)
    return Buffer.concat([frame, Buffer.alloc(ethernetHeaderBytes - frame.length)]);
  if (change.mends) mend(frame);
  return frame;
}

/** Where each protocol has its checksum. */
const checksumAt: Readonly<Record<number, number>> = { [protocols.tcp]: 16, [protocols.udp]: 6, [protocols.icmpv6]: 2 };

/** Gives a frame the lengths and checksums that fit the rest of it, as far as there is room for them. */
export function mend(frame: Buffer): void {
  const start = ethernetHeaderBytes;
  const etherType = frame.readUInt16BE(12);
  if (etherType === etherTypes.ipv4 && frame.length >= start + ipv4HeaderBytes) {
    frame[start] = 0x40 | Math.max(5, (frame[start] as number) & 0x0f);
    const headerEnd = start + ((frame[start] as number) & 0x0f) * 4;
    if (headerEnd > frame.length) return;
    frame.writeUInt16BE(Math.min(frame.length - start, 0xffff), start + 2);
    frame.writeUInt16BE(0, start + 10);
    frame.writeUInt16BE(finishChecksum(sumBytes(frame, start, headerEnd)), start + 10);
    const ip = parseIpv4(frame, start);
    if (!ip.malformed) mendPayload(frame, ip);
  } else if (etherType === etherTypes.ipv6 && frame.length >= start + ipv6HeaderBytes) {
    frame[start] = 0x60 | ((frame[start] as number) & 0x0f);
    frame.writeUInt16BE(Math.min(frame.length - start - ipv6HeaderBytes, 0xffff), start + 4);
    const ip = parseIpv6(frame, start);
    if (!ip.malformed) mendPayload(frame, ip);
  }
}

function mendPayload(frame: Buffer, ip: IpView): void {
  const { payloadStart, payloadEnd, protocol } = ip;
  const isIcmp = protocol === protocols.icmp && ip.version === 4;
  const offset = isIcmp ? 2 : checksumAt[protocol];
  if (offset === undefined || payloadStart + offset + 2 > payloadEnd) return;
  if (protocol === protocols.udp) frame.writeUInt16BE(payloadEnd - payloadStart, payloadStart + 4);
  frame.writeUInt16BE(0, payloadStart + offset);
  const initial = isIcmp ? 0 : sumPseudoHeader(frame, ip, protocol);
  frame.writeUInt16BE(finishChecksum(sumBytes(frame, payloadStart, payloadEnd, initial)), payloadStart + offset);
}

/** Bytes without any sense, the same for the same seed. */
export function noise(seed: number, length: number): Buffer {
  const random = randomFrom(seed);
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at++) bytes[at] = Math.floor(random() * 256);
  return bytes;
}
