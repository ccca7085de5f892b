import { ipv6Bytes } from './addresses.ts';
import { finishChecksum, sumBytes } from './checksum.ts';
import { type IpView, protocols, sumPseudoHeader } from './ip.ts';
import { type Malformed, malformed } from './malformed.ts';

export const icmpv6Types = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  multicastListenerQuery: 130,
  multicastListenerReport: 131,
  multicastListenerDone: 132,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
  multicastListenerReport2: 143,
} as const;

/** Names of the types, such as `router-solicitation`. */
export const icmpv6Names: ReadonlyMap<number, string> = new Map(
  Object.entries(icmpv6Types).map(([name, type]) => [
    type,
    name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
  ]),
);

export interface Icmpv6View {
  readonly malformed?: undefined;
  readonly type: number;
  readonly code: number;
  /** Offset of the 16-byte target address in neighbour messages. */
  readonly targetAt: number | undefined;
}

/** Minimum length of the messages with a fixed part (RFC 4861 §4). */
const fixedBytes: Readonly<Record<number, number>> = {
  [icmpv6Types.echoRequest]: 8,
  [icmpv6Types.echoReply]: 8,
  [icmpv6Types.routerSolicitation]: 8,
  [icmpv6Types.routerAdvertisement]: 16,
  [icmpv6Types.neighborSolicitation]: 24,
  [icmpv6Types.neighborAdvertisement]: 24,
};
const neighborDiscovery: readonly number[] = [133, 134, 135, 136, 137];
const neighborMessages: readonly number[] = [icmpv6Types.neighborSolicitation, icmpv6Types.neighborAdvertisement];

/** Parses the head of an ICMPv6 message (RFC 4443 §2.1, RFC 4861 §4); `verify` also checks the checksum. */
export function parseIcmpv6(frame: Buffer, ip: IpView, verify: boolean): Icmpv6View | Malformed {
  const start = ip.payloadStart;
  const available = ip.payloadEnd - start;
  if (available < 4) return malformed('icmpv6', 'shorter than a header');
  const type = frame[start] as number;
  if (available < (fixedBytes[type] ?? 4)) return malformed('icmpv6', 'shorter than its type requires');
  // Only a neighbour on this link can have sent it (RFC 4861 §6.1.1, §7.1.1).
  if (neighborDiscovery.includes(type) && ip.hopLimit !== 255) return malformed('icmpv6', 'hop limit is not 255');
  if (verify) {
    const sum = sumBytes(frame, start, ip.payloadEnd, sumPseudoHeader(frame, ip, protocols.icmpv6));
    if (finishChecksum(sum) !== 0) return malformed('icmpv6', 'wrong checksum');
  }
  return {
    type,
    code: frame[start + 1] as number,
    targetAt: neighborMessages.includes(type) ? start + 8 : undefined,
  };
}

/** Writes a message whose body (after type, code and checksum) is `body`, with its checksum. */
export function writeIcmpv6(frame: Buffer, ip: IpView, type: number, body: Buffer): void {
  const start = ip.payloadStart;
  frame.writeUInt32BE(type * 0x100_0000, start);
  body.copy(frame, start + 4);
  const sum = sumBytes(frame, start, ip.payloadEnd, sumPseudoHeader(frame, ip, protocols.icmpv6));
  frame.writeUInt16BE(finishChecksum(sum), start + 2);
}

const neighborFlags = { router: 0x80, solicited: 0x40, override: 0x20 } as const;
const linkLayerOptions = { source: 1, target: 2 } as const;

function linkLayerOption(type: number, mac: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, 1]), mac]);
}

/** Body of a neighbour advertisement (RFC 4861 §4.4) for `target`, which is at `mac`. */
export function neighborAdvertisement(
  target: Buffer,
  mac: Buffer,
  { solicited, router }: { solicited: boolean; router: boolean },
): Buffer {
  const flags =
    neighborFlags.override | (solicited ? neighborFlags.solicited : 0) | (router ? neighborFlags.router : 0);
  return Buffer.concat([Buffer.from([flags, 0, 0, 0]), target, linkLayerOption(linkLayerOptions.target, mac)]);
}

export interface RouterFacts {
  readonly mac: Buffer;
  readonly managed: boolean;
  readonly otherConfig: boolean;
  readonly lifetimeSeconds: number;
  /** A /64 on this link; hosts form addresses from it (SLAAC) if `autonomous`. */
  readonly prefix?: { readonly address: Buffer; readonly autonomous: boolean };
}

/** Body of a router advertisement (RFC 4861 §4.2). */
export function routerAdvertisement({ mac, managed, otherConfig, lifetimeSeconds, prefix }: RouterFacts): Buffer {
  const head = Buffer.alloc(12);
  head[0] = 64;
  head[1] = (managed ? 0x80 : 0) | (otherConfig ? 0x40 : 0);
  head.writeUInt16BE(lifetimeSeconds, 2);
  const parts = [head, linkLayerOption(linkLayerOptions.source, mac)];
  if (prefix !== undefined) parts.push(prefixInformation(prefix.address, prefix.autonomous));
  return Buffer.concat(parts);
}

/** RFC 4861 §4.6.2. */
function prefixInformation(address: Buffer, autonomous: boolean): Buffer {
  const option = Buffer.alloc(32);
  option.set([3, 4, 64, 0x80 | (autonomous ? 0x40 : 0)]);
  option.writeUInt32BE(86_400, 4);
  option.writeUInt32BE(14_400, 8);
  address.copy(option, ipv6Bytes, 0, 8);
  return option;
}
