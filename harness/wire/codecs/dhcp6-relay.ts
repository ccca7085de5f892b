import { equalsAt, formatIpv6Address, ipv6Bytes, parseIpv6Address } from './addresses.ts';
import { type Dhcp6Option, encodeOptions, walkOptions } from './dhcp6.ts';

/** RFC 8415 §7.3, §9; options of §21.10 and §21.18, and RFC 8357 §5.2. */
const relayForward = 12;
const relayReply = 13;
const relayMessage = 9;
const interfaceIdOption = 18;
const relaySourcePort = 135;
const headerBytes = 2 + 2 * ipv6Bytes;

/** What a relay agent says of itself: an address on the client's link, and the name of that link. */
export interface Agent6 {
  readonly linkAddress: string;
  readonly interfaceId: string;
}

const addressBytes = (ip: string): Buffer => parseIpv6Address(ip) ?? Buffer.alloc(ipv6Bytes);

/** A client's message in the first agent's Relay-forward (RFC 8415 §19.1.1), which may be answered at any port. */
export function encodeRelayForward(message: Buffer, peer: string, { linkAddress, interfaceId }: Agent6): Buffer {
  const hops = 0;
  const options: Dhcp6Option[] = [
    { code: interfaceIdOption, data: Buffer.from(interfaceId) },
    { code: relaySourcePort, data: Buffer.alloc(2) },
    { code: relayMessage, data: message },
  ];
  const addresses = [linkAddress, peer].map(addressBytes);
  return Buffer.concat([Buffer.of(relayForward, hops), ...addresses, encodeOptions(options)]);
}

/** What is in a Relay-reply (RFC 8415 §19.2), and which client it is for. */
export function parseRelayReply(
  payload: Buffer,
  { linkAddress, interfaceId }: Agent6,
): { message: Buffer; peer: string } | { refused: string } {
  if (payload.length < headerBytes) return { refused: `${payload.length} bytes, expected at least ${headerBytes}` };
  if (payload[0] !== relayReply) return { refused: `message type ${payload[0]}, expected ${relayReply}` };
  if (!equalsAt(payload, 2, addressBytes(linkAddress))) return { refused: 'for another link (link-address)' };
  const walked = walkOptions(Buffer.from(payload.subarray(headerBytes)));
  if ('malformed' in walked) return { refused: walked.malformed };
  const dataOf = (code: number) => walked.options.find((option) => option.code === code)?.data;
  const link = dataOf(interfaceIdOption);
  if (link !== undefined && !link.equals(Buffer.from(interfaceId)))
    return { refused: 'for another link (Interface-Id)' };
  const message = dataOf(relayMessage);
  if (message === undefined) return { refused: 'no message in it (option 9)' };
  return { message, peer: formatIpv6Address(payload, 2 + ipv6Bytes) };
}
