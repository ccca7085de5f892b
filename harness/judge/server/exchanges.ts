import { clientArchs } from '../../model/client-archs.ts';
import { nameOfTarget } from '../../model/deliveries.ts';
import type { HarnessEvent } from '../../model/events.ts';
import { nameOf } from '../../model/served-name.ts';
import { unset } from '../../observe/wire-rules.ts';

export type WireEvent = Extract<HarnessEvent, { source: 'wire' }>;
export type Wire<T extends WireEvent['type']> = Extract<WireEvent, { type: T }>;
export type DhcpMessage = Wire<'dhcp'> | Wire<'dhcp6'>;

/** Who asks, by its own identification. */
export interface Client {
  /** Option 93, or 61 of DHCPv6. */
  readonly arch: number;
  readonly vendorClass: string;
  readonly isIpxe: boolean;
}

/** A client's request for an address and a boot file, up to its next one: what it was offered, and what it then fetched. */
export interface Exchange {
  readonly family: 4 | 6;
  readonly client: Client;
  readonly asks: DhcpMessage[];
  readonly replies: DhcpMessage[];
  /** Everything of TFTP and HTTP until the next exchange of either family. */
  readonly fetches: WireEvent[];
}

export const isHttpClient = ({ vendorClass }: Client): boolean => vendorClass.startsWith('HTTPClient');

export const clientText = ({ arch, isIpxe }: Client): string => {
  const name = `${clientArchs[arch]?.name ?? 'a client'} (architecture ${arch})`;
  return isIpxe ? `iPXE on ${name}` : name;
};

/** The file that a reply names, as sent: a name or a URL. */
export function bootFileOf(reply: DhcpMessage): string | undefined {
  if (reply.type === 'dhcp6') return reply.bootFileUrl;
  return reply.bootFile || reply.file || undefined;
}

const isUrl = (file: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(file);
const servedNameOf = (file: string): string | undefined => (isUrl(file) ? nameOfTarget(file) : nameOf(file));

/** Names of the files that the replies of an exchange name, as a transfer has them. */
export const namesIn = ({ replies }: Exchange): ReadonlySet<string | undefined> =>
  new Set(replies.map((reply) => servedNameOf(bootFileOf(reply) ?? '')));

/** A reply that says what to boot: a file, or a list of boot servers (option 43). */
export const saysWhatToBoot = (reply: DhcpMessage): boolean =>
  bootFileOf(reply) !== undefined || (reply.type === 'dhcp' && reply.codes.includes(43));

const fetchTypes: readonly WireEvent['type'][] = [
  ...(['tftp-request', 'tftp-oack', 'tftp-complete', 'tftp-error'] as const),
  ...(['http-request', 'http-response', 'http-complete'] as const),
];

const isDhcp = (event: WireEvent): event is DhcpMessage => event.type === 'dhcp' || event.type === 'dhcp6';

function clientOf(event: DhcpMessage): Client | undefined {
  if (event.clientArch === undefined) return undefined;
  const isIpxe = event.userClass === 'iPXE' || (event.type === 'dhcp' && event.ipxe);
  return { arch: event.clientArch, vendorClass: event.vendorClass ?? '', isIpxe };
}

const isSame = (one: Client, other: Client): boolean =>
  one.arch === other.arch && one.vendorClass === other.vendorClass && one.isIpxe === other.isIpxe;

const startsOver = ({ messageType }: DhcpMessage): boolean => messageType === 'discover' || messageType === 'solicit';

const isLease = (reply: DhcpMessage): boolean =>
  reply.type === 'dhcp' ? reply.messageType === 'ack' && reply.yiaddr !== unset : reply.messageType === 'reply';

const isOver = ({ fetches, replies }: Exchange): boolean => fetches.length > 0 || replies.some(isLease);

/** On a network with others, a reply is for whoever sent both (RFC 2131 §4.1). */
const transactionOf = (message: DhcpMessage): string =>
  message.type === 'dhcp' ? `${message.xid} ${message.mac}` : String(message.xid);

/** The exchanges of a boot, in order. What asks without an architecture is no boot client. */
export function exchangesIn(events: readonly HarnessEvent[]): Exchange[] {
  const exchanges: Exchange[] = [];
  const current = new Map<4 | 6, { exchange: Exchange; asked: Set<string> }>();

  function ask(event: DhcpMessage, family: 4 | 6): void {
    const client = clientOf(event);
    if (client === undefined) return;
    const open = current.get(family);
    if (open !== undefined && isSame(open.exchange.client, client) && !(startsOver(event) && isOver(open.exchange))) {
      open.exchange.asks.push(event);
      open.asked.add(transactionOf(event));
      return;
    }
    const exchange: Exchange = { family, client, asks: [event], replies: [], fetches: [] };
    current.set(family, { exchange, asked: new Set([transactionOf(event)]) });
    exchanges.push(exchange);
  }

  for (const event of events) {
    if (event.source !== 'wire') continue;
    if (isDhcp(event)) {
      const family = event.type === 'dhcp' ? 4 : 6;
      if (event.from === 'guest') ask(event, family);
      else {
        const open = current.get(family);
        if (open?.asked.has(transactionOf(event))) open.exchange.replies.push(event);
      }
    } else if (fetchTypes.includes(event.type)) exchanges.at(-1)?.fetches.push(event);
  }
  return exchanges;
}
