import type { BootRule, DhcpMessageType } from '../../../model/boot-rule.ts';
import { type DhcpMessage, encodeDhcp, parseDhcp } from '../../../wire/codecs/dhcp.ts';
import { dhcpFactsOf } from '../../../wire/sniff/dhcp-facts.ts';
import type { Datagram, UdpHost, UdpPeer, UdpPort } from '../../../wire/stack/udp-host.ts';
import { applyRawOptions, matchRule, withholds } from '../boot-policy.ts';
import { type DhcpOptions, decisionsTo } from '../decided-events.ts';
import { createLeasePool } from '../lease-pool.ts';
import { hostsFrom, spareHost } from '../subnet.ts';
import { decideLease } from './lease-decision.ts';
import {
  addressOptions,
  bootFields,
  type Client,
  clientOf,
  identityOptions,
  type ProxyReply,
} from './reply-options.ts';

const serverPort = 67;
const clientPort = 68;
const bootServerPort = 4011;
const unset = '0.0.0.0';
const broadcast = { ip: '255.255.255.255', mac: 'ff:ff:ff:ff:ff:ff' };

/** A client's message, whom it is from, and the rule that suits it. */
interface Request {
  readonly port: UdpPort;
  readonly message: DhcpMessage;
  readonly client: Client;
  readonly rule: BootRule | undefined;
  readonly from: UdpPeer;
}

/** What a reply is made of beside what it copies from the request. */
interface Reply {
  readonly type: Extract<DhcpMessageType, 'offer' | 'ack' | 'nak'>;
  readonly serverId: string;
  readonly yiaddr: string;
  readonly ciaddr: string;
  /** Null: boot information is another server's business. */
  readonly boot: { readonly rule: BootRule | undefined; readonly proxy: ProxyReply | null } | null;
  readonly options: ReadonlyMap<number, Buffer>;
  readonly to: UdpPeer;
  readonly note?: string;
}

/**
 * The DHCPv4 server of one case (RFC 2131, 2132, 4578): addresses on port 67, PXE boot servers' requests on
 * port 4011. With `network.proxyDhcp` port 67 speaks for two servers: one that knows addresses only, and
 * a proxyDHCP server (PXE 2.1 §2.2) that knows what to boot. Each datagram ends in a `dhcp/decided` event per
 * reply, or one that says why there is none; nothing a guest sends makes it throw.
 */
export function startDhcp(host: UdpHost, { network, rules, served, emit }: DhcpOptions): { close(): void } {
  const decided = decisionsTo(emit);
  const bootServerId = network.serverIp;
  // Boot servers are spoken to at their identifier, so it is the address server that takes a name of its own.
  const addressServerId = network.proxyDhcp
    ? spareHost(network.guestIp, network.netmask, [network.serverIp, network.guestIp])
    : network.serverIp;
  const pool = createLeasePool(hostsFrom(network.guestIp, network.netmask, [network.serverIp, addressServerId]));

  function receive(port: UdpPort, { from, payload }: Datagram): void {
    const parsed = parseDhcp(payload);
    if ('malformed' in parsed) {
      decided(from.mac, 'malformed', null, null, null, parsed.malformed);
      return;
    }
    const { message } = parsed;
    const client = clientOf(dhcpFactsOf(message, port.port), message.options);
    if (message.op !== 1) {
      ignored(client, null, 'a reply, sent to a server');
      return;
    }
    const rule = matchRule(rules, client.facts, served(message.mac));
    if (rule?.answer === false) {
      ignored(client, rule, 'the rule gives no answer');
      return;
    }
    const request = { port, message, client, rule, from };
    if (port.port === bootServerPort) answerBootRequest(request);
    else answerAddressRequest(request);
  }

  function answerAddressRequest(request: Request): void {
    const { message, client, rule, from } = request;
    const { facts } = client;
    const decision = decideLease(facts, pool, { ...network, serverId: addressServerId });
    const { reply } = decision;
    if (reply === null) {
      ignored(client, rule, decision.note);
      return;
    }
    const boot = network.proxyDhcp ? null : ({ rule, proxy: null } as const);
    const common = { serverId: addressServerId, ciaddr: unset, yiaddr: unset };
    if (reply === 'nak') {
      const relayed = message.giaddr !== unset;
      const to = relayed ? replyAddress(message, unset, from) : { ...broadcast, port: clientPort };
      send(request, { ...common, type: 'nak', boot, options: new Map(), to, note: decision.note });
      return;
    }
    if (reply === 'inform-ack') {
      const ciaddr = message.ciaddr === unset ? from.ip : message.ciaddr;
      const to = { mac: message.mac, ip: ciaddr, port: clientPort };
      const options = addressOptions(client, network, false);
      send(request, { ...common, type: 'ack', ciaddr, boot, options, to });
      return;
    }
    const to = replyAddress(message, decision.ip, from);
    const lease = { ...common, yiaddr: decision.ip, to };
    const options = addressOptions(client, network, true);
    send(request, { ...lease, type: reply, ciaddr: message.ciaddr, boot, options });
    if (reply === 'offer' && network.proxyDhcp && client.kind !== 'other' && rule?.file !== undefined) {
      const proxy = withholds(rule, 43, 'offer') ? 'binl-offer' : 'offer';
      const proxied = { boot: { rule, proxy }, serverId: bootServerId, options: new Map() } as const;
      send(request, { ...lease, ...proxied, type: 'offer', yiaddr: unset, note: 'proxyDHCP' });
    }
  }

  /** A boot server's port: the client has its address and asks what to boot (PXE 2.1 §2.2.5, BINL). */
  function answerBootRequest(request: Request): void {
    const { message, client, rule, from } = request;
    const { facts } = client;
    if (facts.messageType !== 'request' && facts.messageType !== 'inform' && facts.messageType !== 'discover') {
      ignored(client, rule, `a boot server takes no ${facts.messageType}`);
      return;
    }
    if (facts.serverId !== undefined && facts.serverId !== bootServerId) {
      ignored(client, rule, `meant for the server ${facts.serverId}`);
      return;
    }
    if (rule?.file === undefined) {
      ignored(client, rule, 'nothing to boot');
      return;
    }
    send(request, {
      type: 'ack',
      serverId: bootServerId,
      yiaddr: unset,
      ciaddr: message.ciaddr,
      boot: { rule, proxy: 'ack' },
      options: new Map(),
      to: { mac: message.mac, ip: from.ip, port: from.port },
    });
  }

  function send({ port, message, client }: Request, reply: Reply): void {
    const options = new Map([...identityOptions(client, reply.serverId), ...reply.options]);
    const rule = reply.boot?.rule;
    const file = rule?.file === undefined || reply.type === 'nak' ? null : rule.file;
    let fields = { siaddr: unset, file: '' };
    if (reply.boot && file !== null) {
      const boot = bootFields(client, file, bootServerId, reply.boot.proxy);
      for (const [code, value] of boot.options) options.set(code, value);
      fields = boot;
    }
    if (rule) applyRawOptions(options, rule.options, reply.type);
    const header = { op: 2, xid: message.xid, secs: 0, giaddr: message.giaddr, mac: message.mac, sname: '' } as const;
    const { siaddr, file: fileField } = fields;
    const { type: messageType, ciaddr, yiaddr, to } = reply;
    // A relay passes a NAK on by broadcast only when told so (RFC 2131 §4.3.2).
    const flag = message.broadcast || messageType === 'nak';
    const payload = encode({
      ...header,
      messageType,
      broadcast: flag,
      ciaddr,
      yiaddr,
      siaddr,
      file: fileField,
      options,
    });
    if (typeof payload === 'string') {
      ignored(client, rule, payload);
      return;
    }
    port.send(payload, to);
    decided(message.mac, message.messageType, rule, messageType, file, reply.note);
  }

  function encode(message: DhcpMessage): Buffer | string {
    try {
      const payload = encodeDhcp(message);
      const most = host.maxPayloadBytes;
      return payload.length > most ? `a reply of ${payload.length} octets does not fit ${most}` : payload;
    } catch (error) {
      return `the reply cannot be encoded: ${(error as Error).message}`;
    }
  }

  function ignored(client: Client, rule: BootRule | null | undefined, note: string): void {
    decided(client.facts.mac, client.facts.messageType, rule, null, null, note);
  }

  const ports = [serverPort, bootServerPort].map((number) => {
    const port = host.bind(number, (datagram) => receive(port, datagram));
    return port;
  });
  return {
    close() {
      for (const port of ports) port.close();
    },
  };
}

/** RFC 2131 §4.1: to the relay, to the address the client has, by broadcast if it asks, else to what it gets. */
function replyAddress(request: DhcpMessage, yiaddr: string, from: UdpPeer): UdpPeer {
  if (request.giaddr !== unset) return { mac: from.mac, ip: request.giaddr, port: serverPort };
  if (request.ciaddr !== unset) return { mac: request.mac, ip: request.ciaddr, port: clientPort };
  if (request.broadcast) return { ...broadcast, port: clientPort };
  return { mac: request.mac, ip: yiaddr, port: clientPort };
}
