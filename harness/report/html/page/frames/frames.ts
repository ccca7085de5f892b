import type { AttemptRecord, RecordedEvent } from '../../report-data.ts';
import { type EventTable, lookUp } from '../event-table.ts';
import { bytes, duration, rate } from '../format.ts';
import { dhcp6Fields, dhcp6Summary, dhcpFields, dhcpSummary } from './dhcp-frame.ts';

export const protocols = ['DHCP', 'TFTP', 'HTTP', 'NFS', 'iSCSI', 'TLS', 'ARP', 'ICMPv6', 'other'] as const;
export type Protocol = (typeof protocols)[number];

/** A line of the list of frames: a frame on the wire, or what a server of the harness said of one. */
export interface Frame {
  tMs: number;
  from: 'guest' | 'server' | 'harness';
  protocol: Protocol;
  summary: string;
  /** Names and values, where there is more to say. */
  fields: [name: string, value: string][];
  bad?: boolean;
}

type Described = Omit<Frame, 'tMs' | 'fields'> & { fields?: Frame['fields'] };

const options = (values: Readonly<Record<string, string>>): Frame['fields'] => Object.entries(values);
const optionText = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}=${value}`)
    .join('');

/** Events with a line of their own; the others (QMP, console, QEMU) are no frames. */
const described: EventTable<Described> = {
  'wire dhcp': (event) => ({
    from: event.from,
    protocol: 'DHCP',
    summary: dhcpSummary(event),
    fields: dhcpFields(event),
  }),
  'wire dhcp6': (event) => ({
    from: event.from,
    protocol: 'DHCP',
    summary: dhcp6Summary(event),
    fields: dhcp6Fields(event),
  }),
  'dhcp decided': ({ rule, reply, file, note, messageType }) => ({
    from: 'harness',
    protocol: 'DHCP',
    summary: `${messageType} ${rule === null ? 'matches no rule' : `matches "${rule}"`}: ${reply === null ? 'no answer' : `${reply}${file === null ? ', nothing to boot' : ` of ${file}`}`}${note === undefined ? '' : ` (${note})`}`,
  }),
  'wire tftp-request': ({ file, options: asked, port, ipVersion }) => ({
    from: 'guest',
    protocol: 'TFTP',
    summary: `RRQ ${file}${optionText(asked)}`,
    fields: [['port of the guest', String(port)], ['IP version', String(ipVersion)], ...options(asked)],
  }),
  'wire tftp-oack': ({ file, options: agreed }) => ({
    from: 'server',
    protocol: 'TFTP',
    summary: `OACK${optionText(agreed)}`,
    fields: [['file', file], ...options(agreed)],
  }),
  'wire tftp-complete': ({ file, bytes: count, blocks, ms }) => ({
    from: 'guest',
    protocol: 'TFTP',
    summary: `ACK of the last block of ${file}: ${bytes(count)} in ${duration(ms)}, ${rate(count, ms)}`,
    fields: [
      ['bytes', String(count)],
      ['blocks', String(blocks)],
    ],
  }),
  'wire tftp-stalled': ({ file, block }) => ({
    from: 'guest',
    protocol: 'TFTP',
    summary: `ACK of block ${block} of ${file}, again and again`,
    bad: true,
  }),
  'wire tftp-error': ({ from, file, code, message }) => ({
    from,
    protocol: 'TFTP',
    summary: `ERROR ${code} ${message} (${file})`,
    bad: from === 'server',
  }),
  'tftp transfer': ({ file, outcome, bytes: count, retransmissions, ms, note }) => ({
    from: 'harness',
    protocol: 'TFTP',
    summary: `${file}: ${outcome}${note === undefined ? '' : ` (${note})`}`,
    fields: [
      ['bytes', String(count)],
      ['retransmissions', String(retransmissions)],
      ['time', duration(ms)],
    ],
    bad: outcome === 'timed-out',
  }),
  'wire http-request': ({ method, target, host, port }) => ({
    from: 'guest',
    protocol: 'HTTP',
    summary: `${method} ${target}`,
    fields: [
      ['host', host],
      ['port', String(port)],
    ],
  }),
  'wire http-response': ({ status, target, length, location }) => ({
    from: 'server',
    protocol: 'HTTP',
    summary: `${status}${length === null ? '' : `, ${bytes(length)}`} (${target})${location === undefined ? '' : ` → ${location}`}`,
    bad: status >= 400,
  }),
  'wire http-complete': ({ target, bytes: count, resumedAt, ms }) => ({
    from: 'guest',
    protocol: 'HTTP',
    summary: `acknowledged ${resumedAt === undefined ? 'all' : 'the rest'} of ${target}: ${bytes(count)} in ${duration(ms)}, ${rate(count, ms)}`,
  }),
  'wire http-cut-short': ({ target, bytes: count, length }) => ({
    from: 'server',
    protocol: 'HTTP',
    summary: `ended the connection after ${bytes(count)}${length === null ? '' : ` of ${bytes(length)}`} of ${target}`,
    bad: true,
  }),
  'http served': ({ method, target, status, bytes: count, tls, note }) => ({
    from: 'harness',
    protocol: 'HTTP',
    summary: `${method} ${target}: ${status}, ${bytes(count)}${tls ? ' over TLS' : ''}${note === undefined ? '' : ` (${note})`}`,
  }),
  'http tls-refused': ({ reason }) => ({ from: 'harness', protocol: 'TLS', summary: `refused: ${reason}`, bad: true }),
  'wire tls': ({ from, kind, port, certificate }) => ({
    from,
    protocol: 'TLS',
    summary: `${kind}${certificate ? `, certificate of ${certificate.names} by ${certificate.issuer}` : ''}`,
    fields: [['port', String(port)]],
  }),
  'wire nfs-lookup': ({ file, status }) => ({
    from: 'server',
    protocol: 'NFS',
    summary: `LOOKUP ${file}: ${status === 0 ? 'found' : `status ${status}`}`,
    bad: status !== 0,
  }),
  'wire nfs-complete': ({ file, bytes: count, ms }) => ({
    from: 'guest',
    protocol: 'NFS',
    summary: `read all of ${file}: ${bytes(count)} in ${duration(ms)}, ${rate(count, ms)}`,
  }),
  'nfs served': ({ file, bytes: count, note }) => ({
    from: 'harness',
    protocol: 'NFS',
    summary: `${file}: ${bytes(count)}${note === undefined ? '' : ` (${note})`}`,
  }),
  'iscsi session': ({ target, note }) => ({ from: 'harness', protocol: 'iSCSI', summary: `${target}: ${note}` }),
  'wire arp': ({ from, op, senderIp, targetIp }) => ({
    from,
    protocol: 'ARP',
    summary: op === 'request' ? `who has ${targetIp}? tell ${senderIp}` : `${senderIp} is here`,
  }),
  'wire icmpv6': ({ from, kind, target }) => ({
    from,
    protocol: 'ICMPv6',
    summary: `${kind.replaceAll('-', ' ')}${target === undefined ? '' : ` ${target}`}`,
  }),
  'wire tcp-refused': ({ address, port }) => ({
    from: 'harness',
    protocol: 'other',
    summary: `TCP to ${address} port ${port} refused: nothing of the case is there`,
    bad: true,
  }),
  'wire malformed': ({ from, layer, reason, count }) => ({
    from,
    protocol: 'other',
    summary: `malformed ${layer}: ${reason}${count > 1 ? ` (${count} times)` : ''}`,
    bad: true,
  }),
};

/** A frame that has no words yet is shown as it is recorded, rather than not at all. */
function undescribed({ tMs: _, source: __, type, ...facts }: RecordedEvent): Described {
  return { from: 'harness', protocol: 'other', summary: `${type} ${JSON.stringify(facts)}` };
}

export function framesOf({ events }: AttemptRecord): Frame[] {
  return events.flatMap((event) => {
    const frame = lookUp(described, event) ?? (event.source === 'wire' ? undescribed(event) : undefined);
    return frame ? [{ tMs: event.tMs, fields: [], ...frame }] : [];
  });
}
