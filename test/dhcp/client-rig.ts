import { type BootRuleInput, bootRuleSchema } from '../../harness/model/boot-rule.ts';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Network } from '../../harness/model/plan.ts';
import { startDhcp } from '../../harness/services/dhcp/v4/server.ts';
import { serverFaults } from '../../harness/services/faults.ts';
import { type DhcpMessage, encodeDhcp, parseDhcp } from '../../harness/wire/codecs/dhcp.ts';
import type { Datagram, UdpEndpoint, UdpPeer } from '../../harness/wire/stack/udp-endpoint.ts';

import { createManualClock } from '../tftp/manual-clock.ts';

export const guestMac = '52:54:00:12:34:56';

export const network: Network = {
  serverMac: '52:54:00:00:00:02',
  serverIp: '10.0.2.2',
  guestMac,
  guestIp: '10.0.2.15',
  netmask: '255.255.255.0',
  ipv6: { serverIp: 'fd00::2', guestIp: 'fd00::15', managed: true },
  proxyDhcp: false,
  tcp: [],
};

export interface Sent {
  readonly payload: Buffer;
  readonly to: UdpPeer;
}

/** Bound ports on no link: datagrams go in by call, replies are kept. */
export function recordingEndpoint(maxPayloadBytes = 1472) {
  const bound = new Map<number, (datagram: Datagram) => void>();
  let sent: Sent[] = [];
  const taken = (): Sent[] => {
    const all = sent;
    sent = [];
    return all;
  };
  const udp: UdpEndpoint = {
    maxPayloadBytes,
    bind(port, onDatagram) {
      bound.set(port, onDatagram);
      return {
        port,
        send: (payload, to) => void sent.push({ payload: Buffer.from(payload), to }),
        close: () => void bound.delete(port),
      };
    },
    bindEphemeral: () => {
      throw new Error('a DHCP server needs no port of its own');
    },
  };
  return {
    udp,
    boundPorts: () => [...bound.keys()],
    deliver(port: number, payload: Buffer, from: UdpPeer): Sent[] {
      bound.get(port)?.({ from, to: { ip: '255.255.255.255', port }, payload });
      return taken();
    },
    taken,
  };
}

export interface RigOptions {
  readonly rules?: readonly BootRuleInput[];
  readonly network?: Partial<Network>;
  readonly served?: readonly string[];
  readonly maxPayloadBytes?: number;
  readonly faults?: readonly object[];
}

export interface Reply extends DhcpMessage {
  readonly to: UdpPeer;
  readonly bytes: number;
  readonly payload: Buffer;
}

/** A running server and a way to send it messages. */
export function startRig({
  rules = [],
  network: changes = {},
  served = [],
  maxPayloadBytes,
  faults = [],
}: RigOptions = {}) {
  const { udp, deliver, boundPorts, taken } = recordingEndpoint(maxPayloadBytes);
  const clock = createManualClock();
  const occupied: string[] = [];
  const events: UntimedEvent[] = [];
  const files = new Set(served);
  const server = startDhcp(udp, {
    network: { ...network, ...changes },
    rules: rules.map((rule) => bootRuleSchema.parse(rule)),
    served: () => files,
    emit: (event) => void events.push(event),
    clock,
    occupy: (ip) => void occupied.push(ip),
    faults: serverFaults(
      'dhcp',
      faults.map((fault) => faultSchema.parse(fault)),
      { now: clock.now, hasReached: () => false, emit: (event) => void events.push(event) },
    ),
  });
  const parsedReply = ({ payload, to }: Sent): Reply => {
    const parsed = parseDhcp(payload);
    if ('malformed' in parsed) throw new Error(`the server sent a malformed reply: ${parsed.malformed}`);
    return { ...parsed.message, to, bytes: payload.length, payload };
  };
  function send(payload: Buffer, port = 67, from: Partial<UdpPeer> = {}): Reply[] {
    const sent = deliver(port, payload, { mac: guestMac, ip: '0.0.0.0', port: port === 67 ? 68 : 4011, ...from });
    return sent.map(parsedReply);
  }
  /** What the server sends by itself within this time. */
  function wait(ms: number): Reply[] {
    clock.advance(ms);
    return taken().map(parsedReply);
  }
  return { server, send, wait, occupied, events, files, boundPorts };
}

/** A client's message; options by code, as bytes or text. */
export function message(
  messageType: DhcpMessage['messageType'],
  options: Record<number, readonly number[] | string> = {},
  header: Partial<DhcpMessage> = {},
): Buffer {
  return encodeDhcp({
    op: 1,
    messageType,
    xid: 0x1234abcd,
    secs: 0,
    broadcast: false,
    ciaddr: '0.0.0.0',
    yiaddr: '0.0.0.0',
    siaddr: '0.0.0.0',
    giaddr: '0.0.0.0',
    mac: guestMac,
    sname: '',
    file: '',
    options: new Map(
      Object.entries(options).map(([code, value]) => [
        Number(code),
        typeof value === 'string' ? Buffer.from(value) : Buffer.from([...value]),
      ]),
    ),
    ...header,
  });
}
