import { formatIpv6Address, ipv6Bytes, parseIpv6Address } from './addresses.ts';

/** By message type minus one (RFC 8415 §7.3); relay messages have another format (`dhcp6-relay.ts`). */
export const dhcp6MessageTypes = [
  'solicit',
  'advertise',
  'request',
  'confirm',
  'renew',
  'rebind',
  'reply',
  'release',
  'decline',
  'reconfigure',
  'information-request',
] as const;
export type Dhcp6MessageType = (typeof dhcp6MessageTypes)[number];

/** Client and server (RFC 8415 §7.2). */
export const dhcp6Ports: ReadonlySet<number> = new Set([546, 547]);

/** RFC 8415 §21 and RFC 5970 §3. */
export const dhcp6Options = {
  clientId: 1,
  serverId: 2,
  iaNa: 3,
  iaAddress: 5,
  requested: 6,
  preference: 7,
  statusCode: 13,
  rapidCommit: 14,
  userClass: 15,
  vendorClass: 16,
  bootFileUrl: 59,
  clientArch: 61,
} as const;

/** RFC 8415 §21.13. */
export const dhcp6Status = {
  success: 0,
  unspecFail: 1,
  noAddrsAvail: 2,
  noBinding: 3,
  notOnLink: 4,
  useMulticast: 5,
} as const;

export interface Dhcp6Option {
  readonly code: number;
  readonly data: Buffer;
}

export interface Dhcp6Message {
  readonly messageType: Dhcp6MessageType;
  /** 24 bits. */
  readonly xid: number;
  /** In order; an option may appear more than once. */
  readonly options: readonly Dhcp6Option[];
}

/** An identity association for non-temporary addresses (RFC 8415 §21.4), with its addresses and status. */
export interface IaNa {
  readonly iaid: number;
  readonly t1Seconds: number;
  readonly t2Seconds: number;
  readonly addresses: readonly IaAddress[];
  readonly status?: number;
}

interface IaAddress {
  readonly ip: string;
  readonly preferredSeconds: number;
  readonly validSeconds: number;
}

const headerBytes = 4;
const iaHeaderBytes = 12;
const addressBytes = ipv6Bytes + 8;

type Parsed<K extends string, T> = Record<K, T> | { malformed: string };

/** Reads one UDP payload. Never throws; the result shares no memory with `payload`. */
export function parseDhcp6(payload: Buffer): Parsed<'message', Dhcp6Message> {
  if (payload.length < headerBytes) return { malformed: `${payload.length} bytes, expected at least ${headerBytes}` };
  const type = payload[0] as number;
  const messageType = dhcp6MessageTypes[type - 1];
  if (!messageType) return { malformed: `message type ${type}, expected 1 to ${dhcp6MessageTypes.length}` };
  const walked = walkOptions(Buffer.from(payload.subarray(headerBytes)));
  if ('malformed' in walked) return walked;
  return { message: { messageType, xid: payload.readUIntBE(1, 3), options: walked.options } };
}

export function encodeDhcp6(message: Dhcp6Message): Buffer {
  const header = Buffer.alloc(headerBytes);
  header[0] = dhcp6MessageTypes.indexOf(message.messageType) + 1;
  header.writeUIntBE(message.xid, 1, 3);
  return Buffer.concat([header, encodeOptions(message.options)]);
}

/** The first option with a code. */
export function optionOf(message: Dhcp6Message, code: number): Buffer | undefined {
  return message.options.find((option) => option.code === code)?.data;
}

/** Null: malformed (RFC 8415 §21.4). */
export function parseIaNa(data: Buffer): IaNa | null {
  if (data.length < iaHeaderBytes) return null;
  const walked = walkOptions(data.subarray(iaHeaderBytes));
  if ('malformed' in walked) return null;
  const addresses: IaAddress[] = [];
  let status: number | undefined;
  for (const { code, data } of walked.options) {
    if (code === dhcp6Options.statusCode && data.length >= 2) status = data.readUInt16BE(0);
    if (code !== dhcp6Options.iaAddress || data.length < addressBytes) continue;
    addresses.push({
      ip: formatIpv6Address(data, 0),
      preferredSeconds: data.readUInt32BE(ipv6Bytes),
      validSeconds: data.readUInt32BE(ipv6Bytes + 4),
    });
  }
  return {
    iaid: data.readUInt32BE(0),
    t1Seconds: data.readUInt32BE(4),
    t2Seconds: data.readUInt32BE(8),
    addresses,
    ...(status === undefined ? {} : { status }),
  };
}

export function encodeIaNa(ia: IaNa): Dhcp6Option {
  const header = Buffer.alloc(iaHeaderBytes);
  header.writeUInt32BE(ia.iaid, 0);
  header.writeUInt32BE(ia.t1Seconds, 4);
  header.writeUInt32BE(ia.t2Seconds, 8);
  const inner = ia.addresses.map(({ ip, preferredSeconds, validSeconds }) => {
    const data = Buffer.alloc(addressBytes);
    parseIpv6Address(ip)?.copy(data);
    data.writeUInt32BE(preferredSeconds, ipv6Bytes);
    data.writeUInt32BE(validSeconds, ipv6Bytes + 4);
    return { code: dhcp6Options.iaAddress, data };
  });
  const status = ia.status === undefined ? [] : [statusOption(ia.status)];
  return { code: dhcp6Options.iaNa, data: Buffer.concat([header, encodeOptions([...inner, ...status])]) };
}

export function statusOption(status: number): Dhcp6Option {
  return { code: dhcp6Options.statusCode, data: Buffer.of(status >> 8, status & 255) };
}

/** Strings, each after a two-byte length, as in options 15 and 16 (RFC 8415 §21.15); truncated ones are dropped. */
export function parseClasses(data: Buffer): string[] {
  const classes: string[] = [];
  for (let at = 0; at + 2 <= data.length; ) {
    const end = at + 2 + data.readUInt16BE(at);
    if (end > data.length) break;
    classes.push(data.toString('latin1', at + 2, end));
    at = end;
  }
  return classes;
}

export function walkOptions(field: Buffer): Parsed<'options', Dhcp6Option[]> {
  const options: Dhcp6Option[] = [];
  for (let at = 0; at < field.length; ) {
    if (at + 4 > field.length) return { malformed: `${field.length - at} bytes after the last option` };
    const code = field.readUInt16BE(at);
    const length = field.readUInt16BE(at + 2);
    at += 4;
    if (at + length > field.length) {
      return { malformed: `option ${code} has length ${length}, but only ${field.length - at} left` };
    }
    options.push({ code, data: field.subarray(at, at + length) });
    at += length;
  }
  return { options };
}

export function encodeOptions(options: readonly Dhcp6Option[]): Buffer {
  return Buffer.concat(
    options.flatMap(({ code, data }) => {
      const header = Buffer.alloc(4);
      header.writeUInt16BE(code, 0);
      header.writeUInt16BE(data.length, 2);
      return [header, data];
    }),
  );
}
