import { isIPv4, isIPv6 } from 'node:net';

export const macBytes = 6;
export const ipv6Bytes = 16;

/** `52:54:00:12:34:56` as 6 bytes; undefined if the text is not a MAC address. */
export function parseMac(text: string): Buffer | undefined {
  return /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text) ? Buffer.from(text.replaceAll(':', ''), 'hex') : undefined;
}

export function formatMac(data: Buffer, at: number): string {
  return data.toString('hex', at, at + macBytes).replace(/..(?!$)/g, '$&:');
}

/** A dotted quad as an unsigned 32-bit number; undefined if the text is not one. */
export function parseIpv4Address(text: string): number | undefined {
  if (!isIPv4(text)) return undefined;
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

export function formatIpv4Address(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`;
}

/** An IPv6 address without zone as 16 bytes; undefined if the text is not one. */
export function parseIpv6Address(text: string): Buffer | undefined {
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const [head = '', tail] = text.split('::').map(groupsOf);
  const address = Buffer.alloc(ipv6Bytes);
  const headBytes = Buffer.from(head, 'hex');
  headBytes.copy(address);
  if (tail !== undefined) Buffer.from(tail, 'hex').copy(address, ipv6Bytes - tail.length / 2);
  return address;
}

/** The hex digits of colon-separated groups; the last may be a dotted quad. */
function groupsOf(text: string): string {
  if (text === '') return '';
  return text
    .split(':')
    .map((group) => {
      const embedded = parseIpv4Address(group);
      return embedded === undefined ? group.padStart(4, '0') : embedded.toString(16).padStart(8, '0');
    })
    .join('');
}

/** The canonical text (RFC 5952 §4) of the 16 bytes at `at`. */
export function formatIpv6Address(data: Buffer, at: number): string {
  const groups: number[] = [];
  for (let offset = at; offset < at + ipv6Bytes; offset += 2) groups.push(data.readUInt16BE(offset));
  const { start, length } = longestZeroRun(groups);
  const text = groups.map((group) => group.toString(16));
  if (length < 2) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}

/** The link-local address derived from a MAC (RFC 4291 appendix A, modified EUI-64). */
export function linkLocalOf(mac: Buffer): Buffer {
  const address = Buffer.alloc(ipv6Bytes);
  address.writeUInt16BE(0xfe80, 0);
  mac.copy(address, 8, 0, 3);
  address.writeUInt16BE(0xfffe, 11);
  mac.copy(address, 13, 3, 6);
  address[8] = (address[8] as number) ^ 2;
  return address;
}

/** The solicited-node multicast group of an address (RFC 4291 §2.7.1). */
export function solicitedNodeOf(address: Buffer): Buffer {
  const group = Buffer.from('ff0200000000000000000001ff000000', 'hex');
  address.copy(group, 13, 13);
  return group;
}

/** Whether the bytes at `at` are those of `expected`. */
export function equalsAt(data: Buffer, at: number, expected: Buffer): boolean {
  // For so few, `Buffer.compare` takes six times as long.
  for (let offset = 0; offset < expected.length; offset++) if (data[at + offset] !== expected[offset]) return false;
  return true;
}

/** A view of a MAC inside a frame, valid as long as the frame is. */
export function macAt(frame: Buffer, at: number): Buffer {
  return frame.subarray(at, at + macBytes);
}
