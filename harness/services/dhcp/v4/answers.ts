import type { BootRule, DhcpMessageType } from '../../../model/boot-rule.ts';
import type { Network } from '../../../model/plan.ts';
import type { DhcpMessage } from '../../../wire/codecs/dhcp.ts';
import type { UdpPeer } from '../../../wire/stack/udp-endpoint.ts';
import { withholds } from '../boot-policy.ts';
import type { LeasePool } from '../lease-pool.ts';
import { decideLease, type LeaseDecision } from './lease-decision.ts';
import { addressOptions, type Client, type ProxyReply } from './reply-options.ts';

const serverPort = 67;
const clientPort = 68;
export const unset = '0.0.0.0';
const broadcast = { ip: '255.255.255.255', mac: 'ff:ff:ff:ff:ff:ff' };

/** A client's message, its sender, and the rule that matches it. */
export interface Request {
  readonly message: DhcpMessage;
  readonly client: Client;
  readonly rule: BootRule | undefined;
  readonly from: UdpPeer;
}

/** The parts of a reply that are not copied from the request. */
export interface Reply {
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

/** The replies to a request, in order, or why there are none. */
export type Answer = { readonly replies: readonly Reply[] } | { readonly note: string };

/** Who answers, and from which addresses. */
export interface Servers {
  readonly network: Network;
  readonly pool: LeasePool;
  readonly addressServerId: string;
  readonly bootServerId: string;
}

/** On port 67: an address and, unless there is a proxyDHCP server, what to boot. */
export function answerAddressRequest(request: Request, servers: Servers): Answer {
  const { network, pool, addressServerId } = servers;
  const decision = decideLease(request.client.facts, pool, { ...network, serverId: addressServerId });
  if (decision.reply === null) return { note: decision.note };
  const lease = replyFor(request, decision, servers);
  const proxied = network.proxyDhcp && lease.type === 'offer' ? proxyOffer(request, lease, servers) : undefined;
  return { replies: proxied ? [lease, proxied] : [lease] };
}

/** A NAK of this server, by broadcast unless it is relayed (RFC 2131 §4.3.2). */
export function nakFor(
  { message, from }: Request,
  { serverId, boot }: Pick<Reply, 'serverId' | 'boot'>,
  note: string,
): Reply {
  const relayed = message.giaddr !== unset;
  const to = relayed ? replyAddress(message, unset, from) : { ...broadcast, port: clientPort };
  return { serverId, boot, ciaddr: unset, yiaddr: unset, type: 'nak', options: new Map(), to, note };
}

function replyFor(
  request: Request,
  decision: Exclude<LeaseDecision, { reply: null }>,
  { network, addressServerId }: Servers,
): Reply {
  const { message, client, rule, from } = request;
  const boot = network.proxyDhcp ? null : { rule, proxy: null };
  const common = { serverId: addressServerId, ciaddr: unset, yiaddr: unset, boot };
  if (decision.reply === 'nak') return nakFor(request, common, decision.note);
  if (decision.reply === 'inform-ack') {
    const ciaddr = message.ciaddr === unset ? from.ip : message.ciaddr;
    const to = { mac: message.mac, ip: ciaddr, port: clientPort };
    return { ...common, type: 'ack', ciaddr, options: addressOptions(client, network, false), to };
  }
  const { reply: type, ip: yiaddr } = decision;
  const to = replyAddress(message, yiaddr, from);
  return { ...common, type, ciaddr: message.ciaddr, yiaddr, options: addressOptions(client, network, true), to };
}

/** The proxyDHCP server's offer, alongside the address server's (PXE 2.1 §2.2.3). */
function proxyOffer({ client, rule }: Request, lease: Reply, { bootServerId }: Servers): Reply | undefined {
  if (client.kind === 'other' || rule?.file === undefined) return undefined;
  const proxy = withholds(rule, 43, 'offer') ? 'binl-offer' : 'offer';
  const fields = { boot: { rule, proxy }, serverId: bootServerId, ciaddr: unset, yiaddr: unset } as const;
  return { ...fields, type: 'offer', options: new Map(), to: lease.to, note: 'proxyDHCP' };
}

const bootRequests: readonly DhcpMessageType[] = ['request', 'inform', 'discover'];

/** On port 4011: the client has its address and asks what to boot (PXE 2.1 §2.2.5, BINL). */
export function answerBootRequest({ message, client, rule, from }: Request, { bootServerId }: Servers): Answer {
  const { messageType, serverId } = client.facts;
  if (!bootRequests.includes(messageType)) return { note: `a boot server does not answer ${messageType}` };
  if (serverId !== undefined && serverId !== bootServerId) return { note: `meant for the server ${serverId}` };
  if (rule?.file === undefined) return { note: 'nothing to boot' };
  const to = { mac: message.mac, ip: from.ip, port: from.port };
  const boot = { rule, proxy: 'ack' } as const;
  const addresses = { serverId: bootServerId, yiaddr: unset, ciaddr: message.ciaddr };
  return { replies: [{ ...addresses, type: 'ack', boot, options: new Map(), to }] };
}

/** RFC 2131 §4.1: to the relay, to the address the client has, by broadcast if it asks, else to its new address. */
function replyAddress(request: DhcpMessage, yiaddr: string, from: UdpPeer): UdpPeer {
  if (request.giaddr !== unset) return { mac: from.mac, ip: request.giaddr, port: serverPort };
  if (request.ciaddr !== unset) return { mac: request.mac, ip: request.ciaddr, port: clientPort };
  if (request.broadcast) return { ...broadcast, port: clientPort };
  return { mac: request.mac, ip: yiaddr, port: clientPort };
}
