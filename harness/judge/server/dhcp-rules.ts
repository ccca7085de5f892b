import type { HarnessEvent } from '../../model/events.ts';
import { seconds } from '../../model/time-text.ts';
import { unset } from '../../observe/wire-rules.ts';
import { wasLateBetween } from '../lateness.ts';
import {
  bootFileOf,
  clientText,
  type DhcpMessage,
  type Exchange,
  isHttpClient,
  saysWhatToBoot,
  type Wire,
} from './exchanges.ts';
import { type Boot, bootServices, type Seen, type ServerRule } from './rule.ts';

type Dhcp = Wire<'dhcp'>;

/** One question may be lost, or the boot be over before its answer comes. */
const enoughAsks = 2;
const bootServerPort = 4011;
/** BOOTP's fixed vendor field makes a message this long. */
const bootpBytes = 300;
const broadcastAddress = '255.255.255.255';
const slowAnswerMs = 1_000;

const isV4 = (message: DhcpMessage): message is Dhcp => message.type === 'dhcp';
const isDiscover = ({ messageType }: DhcpMessage): boolean => messageType === 'discover' || messageType === 'solicit';

/** DHCPv4 messages of the user's server: next to a proxyDHCP server the harness gives the addresses. */
function theirs({ plan }: Boot, { replies }: Exchange): Dhcp[] {
  const { serves = [] } = plan.network.provisioner ?? {};
  return replies.filter(isV4).filter(({ yiaddr }) => serves.includes('dhcp') || yiaddr === unset);
}

const each =
  (find: (exchange: Exchange, boot: Boot) => Seen | undefined) =>
  (boot: Boot): Seen[] =>
    boot.answered.flatMap((exchange) => find(exchange, boot) ?? []);

const lastMs = ({ asks }: Exchange): number => asks.at(-1)?.tMs ?? 0;

const bootServerAsks = ({ asks }: Exchange): DhcpMessage[] =>
  asks.filter((ask) => isV4(ask) && ask.port === bootServerPort);

/** An offer that sends the client to port 4011 for the rest (PXE 2.1 §2.2.3). */
const isIncomplete = (reply: DhcpMessage): boolean =>
  isV4(reply) && reply.vendorClass?.startsWith('PXEClient') === true && !reply.codes.includes(43);

function unanswered(exchange: Exchange): Seen | undefined {
  const { client, asks, replies, fetches } = exchange;
  const count = asks.filter(isDiscover).length;
  const lease = replies.find(({ messageType }) => messageType === 'ack' || messageType === 'reply');
  if (replies.some(saysWhatToBoot) || fetches.length > 0 || bootServerAsks(exchange).length > 0) return undefined;
  if (count < enoughAsks && lease === undefined) return undefined;
  const asked = `${clientText(client)} asked ${count === 1 ? 'once' : `${count} times`}`;
  const got = replies.length === 0 ? 'no answer' : 'an address and nothing to boot';
  return { atMs: lastMs(exchange), text: `${asked}, and got ${got}` };
}

function bootServerSilent(exchange: Exchange): Seen | undefined {
  const asks = bootServerAsks(exchange);
  const [first] = asks;
  if (first === undefined || asks.length < enoughAsks) return undefined;
  const after = exchange.replies.filter(({ tMs }) => tMs > first.tMs);
  if (after.some(saysWhatToBoot)) return undefined;
  const got = after.length === 0 ? 'got no answer' : 'was told nothing to boot';
  const why = exchange.replies.some(isIncomplete) ? ' after an offer with option 60 PXEClient and no option 43' : '';
  const text = `${clientText(exchange.client)} asked port 4011 ${asks.length} times${why}, and ${got}`;
  return { atMs: first.tMs, text };
}

function httpClassMissing({ client, replies, fetches }: Exchange): Seen | undefined {
  if (!isHttpClient(client) || client.isIpxe) return undefined;
  const reply = replies.find(
    (one) => bootFileOf(one) !== undefined && one.vendorClass?.startsWith('HTTPClient') !== true,
  );
  if (reply === undefined) return undefined;
  const code = isV4(reply) ? 60 : 16;
  // EDK II looks for the word at a fixed place, also in an option 16 that is not made as RFC 8415 §21.16 has it.
  if (reply.codes.includes(code) && fetches.length > 0) return undefined;
  const wrong = reply.vendorClass === undefined ? 'a malformed option 16' : `option ${code} "${reply.vendorClass}"`;
  const said = reply.codes.includes(code) ? `with ${wrong}` : `without option ${code}`;
  return { atMs: reply.tMs, text: `${clientText(client)} was offered ${bootFileOf(reply)} ${said}` };
}

function nextServerMissing(exchange: Exchange, boot: Boot): Seen | undefined {
  if (exchange.fetches.length > 0) return undefined;
  const reply = theirs(boot, exchange).find((one) => {
    const file = bootFileOf(one);
    return file !== undefined && !file.includes('://') && one.siaddr === unset && one.tftpServerName === undefined;
  });
  if (reply === undefined) return undefined;
  const text = `${clientText(exchange.client)} was told ${bootFileOf(reply)}, without a next server (siaddr, option 66), and fetched nothing`;
  return { atMs: reply.tMs, text };
}

function tooShort(exchange: Exchange, boot: Boot): Seen | undefined {
  const reply = theirs(boot, exchange).find(({ bytes = bootpBytes }) => bytes < bootpBytes);
  if (reply === undefined) return undefined;
  const name = reply.messageType.toUpperCase();
  return {
    atMs: reply.tMs,
    text: `the ${name} has ${reply.bytes} bytes, and BOOTP messages have at least ${bootpBytes}`,
  };
}

function flagIgnored(exchange: Exchange, boot: Boot): Seen | undefined {
  const flagged = new Set(exchange.asks.flatMap((ask) => (isV4(ask) && ask.broadcast ? [ask.xid] : [])));
  const reply = theirs(boot, exchange).find(
    ({ xid, ciaddr, targetIp = broadcastAddress }) =>
      flagged.has(xid) && ciaddr === unset && targetIp !== broadcastAddress,
  );
  if (reply === undefined) return undefined;
  const text = `${clientText(exchange.client)} asked for broadcast, and the ${reply.messageType.toUpperCase()} was sent to ${reply.targetIp}`;
  return { atMs: reply.tMs, text };
}

const isArp = (event: HarnessEvent): event is Wire<'arp'> => event.source === 'wire' && event.type === 'arp';

/** What a reply says of each address in it at which a server should be. */
const serversIn = ({ serverId, siaddr, tftpServerName }: Dhcp): [address: string | undefined, role: string][] => [
  [siaddr, 'the next server (siaddr)'],
  [tftpServerName, 'the TFTP server (option 66)'],
  [serverId, 'the server identifier (option 54)'],
];

function silentAddresses(boot: Boot): Seen[] {
  const arps = boot.events.filter(isArp);
  const answered = new Set(arps.filter(({ op }) => op === 'reply').map(({ senderIp }) => senderIp));
  const roles = new Map(boot.answered.flatMap((exchange) => theirs(boot, exchange).flatMap(serversIn).reverse()));
  return [...roles].flatMap(([address, role]): Seen[] => {
    const asks = arps.filter(({ from, op, targetIp }) => from === 'guest' && op === 'request' && targetIp === address);
    const [first] = asks;
    if (address === undefined || answered.has(address) || first === undefined || asks.length < enoughAsks) return [];
    return [{ atMs: first.tMs, text: `nobody answers at ${address}, ${role}` }];
  });
}

function slow({ client, asks, replies }: Exchange, { events }: Boot): Seen | undefined {
  const asked = asks.find(isDiscover);
  const [reply] = replies;
  if (asked === undefined || reply === undefined || reply.tMs - asked.tMs < slowAnswerMs) return undefined;
  if (wasLateBetween(events, asked.tMs, reply.tMs)) return undefined;
  const waited = seconds(reply.tMs - asked.tMs);
  return { atMs: reply.tMs, text: `${clientText(client)} waited ${waited} for the first answer` };
}

/** What DHCP, proxyDHCP and DHCPv6 servers do wrong. */
export const dhcpRules: readonly ServerRule[] = [
  {
    name: 'architecture-unanswered',
    about: bootServices,
    section: 'RFC 4578 §2.1',
    remedy: 'match this architecture (option 93; 61 in DHCPv6) and name a boot file for it',
    find: each(unanswered),
  },
  {
    name: 'boot-server-silent',
    about: ['dhcp', 'proxydhcp'],
    section: 'PXE 2.1 §2.2.3',
    remedy: 'answer on port 4011 too, or send option 43 with boot servers, or leave out option 60',
    notRelayed: true,
    find: each(bootServerSilent),
  },
  {
    name: 'http-class-missing',
    about: bootServices,
    section: 'UEFI 2.10 §24.7.3.1',
    remedy: 'send "HTTPClient" back (option 60; 16 in DHCPv6), or the client ignores the reply',
    find: each(httpClassMissing),
  },
  {
    name: 'next-server-missing',
    about: ['dhcp', 'proxydhcp'],
    section: 'RFC 2131 §2',
    remedy: 'set the next server (siaddr): iPXE ignores such a proxyDHCP reply',
    find: each(nextServerMissing),
  },
  {
    name: 'server-address-silent',
    about: ['dhcp', 'proxydhcp'],
    section: 'RFC 2132 §9.7, RFC 2131 §2',
    remedy: "name an address of the server on the client's network",
    notRelayed: true,
    find: silentAddresses,
  },
  {
    name: 'reply-too-short',
    about: ['dhcp', 'proxydhcp'],
    section: 'RFC 1542 §2.1',
    remedy: 'pad it with zeros if old PXE ROMs or relay agents drop it; iPXE and EDK II take it',
    informational: true,
    find: each(tooShort),
  },
  {
    name: 'broadcast-flag-ignored',
    about: ['dhcp', 'proxydhcp'],
    section: 'RFC 2131 §4.1',
    remedy: 'broadcast the reply: the client may not receive unicast yet',
    notRelayed: true,
    find: each(flagIgnored),
  },
  {
    name: 'slow-answer',
    about: bootServices,
    section: 'RFC 2131 §4.1',
    remedy: 'see whether the server probes an address before it offers it, or delays its answer',
    informational: true,
    find: each(slow),
  },
];
