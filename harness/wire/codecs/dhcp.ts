import { type DhcpMessageType, dhcpMessageTypes } from '../../model/boot-rule.ts';
import { collectOptions, type OptionMap, overloadOf } from './dhcp-options.ts';
import { loadPackageCodec } from './dhcp-package.ts';

/** One DHCPv4 message (RFC 2131 §2); addresses as dotted quads, options as raw bytes. */
/** Server, client, and PXE's boot server (RFC 2131 §4.1, PXE 2.1 §2.2.3). */
export const dhcpPorts: ReadonlySet<number> = new Set([67, 68, 4011]);

export interface DhcpMessage {
  /** 1 from clients, 2 from servers. */
  readonly op: 1 | 2;
  readonly messageType: DhcpMessageType;
  readonly xid: number;
  readonly secs: number;
  /** The client cannot take unicast yet (RFC 2131 §4.1). */
  readonly broadcast: boolean;
  readonly ciaddr: string;
  readonly yiaddr: string;
  readonly siaddr: string;
  readonly giaddr: string;
  /** Lower case, colons. */
  readonly mac: string;
  /** Empty if option 52 makes the field hold options. */
  readonly sname: string;
  readonly file: string;
  /** Repeated ones joined, overloaded fields included. One for 53 wins over `messageType` when encoding. */
  readonly options: OptionMap;
}

const headerBytes = 236;
const cookie = 0x63825363;
/** BOOTP's fixed 64-byte vendor field makes 300 the shortest message old PXE ROMs take (RFC 1542 §2.1). */
const minimumBytes = 300;
const broadcastFlag = 0x8000;
const longestOptionBytes = 255;
const messageTypeOption = 53;
const codec = loadPackageCodec();

/** Reads one UDP payload. Never throws; the result shares no memory with `payload`. */
export function parseDhcp(payload: Buffer): { message: DhcpMessage } | { malformed: string } {
  const minimum = headerBytes + 4;
  if (payload.length < minimum) return { malformed: `${payload.length} bytes, expected at least ${minimum}` };
  if (payload.readUInt32BE(headerBytes) !== cookie) return { malformed: 'no DHCP magic cookie' };
  const [op, htype, hlen] = payload;
  if (op !== 1 && op !== 2) return { malformed: `op ${op}, expected 1 or 2` };
  if (htype !== 1 || hlen !== 6) return { malformed: `hardware type ${htype} length ${hlen}, expected Ethernet` };

  const snameField = payload.subarray(44, 108);
  const fileField = payload.subarray(108, headerBytes);
  const collected = collectOptions(payload.subarray(minimum), fileField, snameField);
  if ('malformed' in collected) return collected;
  const { options } = collected;
  const typeOption = options.get(messageTypeOption);
  if (!typeOption) return { malformed: 'no message type (option 53): plain BOOTP' };
  const messageType = typeOption.length === 1 ? dhcpMessageTypes[(typeOption[0] as number) - 1] : undefined;
  if (!messageType) return { malformed: `message type (option 53) is ${typeOption.toString('hex') || 'empty'}` };

  const canonical = Buffer.concat([payload.subarray(0, minimum), ...encodeShortOptions(options), Buffer.of(255)]);
  const parsed = codec.parse(canonical);
  const overloaded = overloadOf(options.get(52));
  const decoded = new Map<number, Buffer>();
  for (const [code, value] of options) {
    // A joined option may be longer than the one length byte the package reads.
    const short = parsed.options[code];
    decoded.set(code, short ? Buffer.from(short) : value);
  }
  return {
    message: {
      op,
      messageType,
      xid: parsed.xid,
      secs: parsed.secs,
      broadcast: (parsed.flags & broadcastFlag) !== 0,
      ciaddr: parsed.ciaddr,
      yiaddr: parsed.yiaddr,
      siaddr: parsed.siaddr,
      giaddr: parsed.giaddr,
      mac: parsed.chaddr.toLowerCase().replaceAll('-', ':'),
      sname: overloaded.sname ? '' : parsed.sname,
      file: overloaded.file ? '' : parsed.file,
      options: decoded,
    },
  };
}

/**
 * One UDP payload, padded to 300 bytes; options longer than 255 bytes are split (RFC 3396 §5). Throws
 * RangeError when fields or options do not fit 1500 bytes, or `sname` and `file` exceed their 64 and 128.
 */
export function encodeDhcp(message: DhcpMessage): Buffer {
  if (Buffer.byteLength(message.sname) > 63) throw new RangeError('sname is longer than 63 bytes');
  if (Buffer.byteLength(message.file) > 127) throw new RangeError('file is longer than 127 bytes');
  const options: Record<number, number[]> = {
    [messageTypeOption]: [dhcpMessageTypes.indexOf(message.messageType) + 1],
  };
  const long: Buffer[] = [];
  for (const [code, value] of message.options) {
    // The package sends nothing for a Buffer: it takes plain arrays only.
    if (value.length <= longestOptionBytes) options[code] = [...value];
    else long.push(...splitOption(code, value));
  }
  const written = codec.format({
    op: message.op,
    htype: 1,
    hlen: 6,
    hops: 0,
    xid: message.xid,
    secs: message.secs,
    flags: message.broadcast ? broadcastFlag : 0,
    ciaddr: message.ciaddr,
    yiaddr: message.yiaddr,
    siaddr: message.siaddr,
    giaddr: message.giaddr,
    chaddr: message.mac,
    sname: message.sname,
    file: message.file,
    options,
  });
  const end = written._w - 1;
  const parts = [written._data.subarray(0, end), ...long, Buffer.of(255)];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (length > 1500) throw new RangeError(`the message has ${length} bytes, more than 1500`);
  return Buffer.concat(parts, Math.max(length, minimumBytes));
}

function encodeShortOptions(options: OptionMap): Buffer[] {
  const parts: Buffer[] = [];
  for (const [code, value] of options) {
    if (value.length <= longestOptionBytes) parts.push(Buffer.of(code, value.length), value);
  }
  return parts;
}

function splitOption(code: number, value: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < value.length; at += longestOptionBytes) {
    const part = value.subarray(at, at + longestOptionBytes);
    parts.push(Buffer.of(code, part.length), part);
  }
  return parts;
}
