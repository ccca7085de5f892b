import type { HarnessEvent } from '../../model/events.ts';
import { unset } from '../../observe/wire-rules.ts';
import { clientText, type DhcpMessage, type Exchange, exchangesIn, type Wire, type WireEvent } from './exchanges.ts';

/** Something that a client did, or that its server told or granted it. */
interface ProtocolFact {
  client: string;
  by: 'client' | 'server';
  text: string;
}

const broadcastAddress = '255.255.255.255';

const askText = (ask: DhcpMessage): string =>
  ask.type === 'dhcp' ? `${ask.messageType} to port ${ask.port}` : ask.messageType;

/** pxelinux asks for names made from the address that it was leased. */
const nameText = (file: string): string => file.replace(/(pxelinux\.cfg\/)[0-9A-F]{1,8}$/, '$1ADDRESS');

const optionsText = (options: Readonly<Record<string, string>>): string =>
  Object.entries(options)
    .filter(([name]) => name !== 'tsize')
    .map(([name, value]) => `${name} ${value}`)
    .concat('tsize' in options ? ['tsize'] : [])
    .toSorted()
    .join(', ');

/** Where a reply names a boot file and a server, how it is sent, and its options. */
function replyTexts(reply: DhcpMessage): string[] {
  const options = reply.codes.map((code) => `option ${code}`);
  if (reply.type === 'dhcp6') return options;
  const { file, siaddr, targetIp, vendorClass, messageType } = reply;
  return [
    ...options,
    ...(file === '' ? [] : ['boot file in the header']),
    ...(siaddr === unset ? [] : ['next server in the header']),
    ...(vendorClass === undefined ? [] : [`option 60 ${vendorClass}`]),
    `${messageType} ${targetIp === broadcastAddress ? 'broadcast' : 'unicast'}`,
  ];
}

type Fetch = Exclude<WireEvent, Wire<'dhcp'> | Wire<'dhcp6'>>;

const granted = (options: Readonly<Record<string, string>>): string[] =>
  Object.entries(options).map(([name, value]) => (name === 'tsize' ? 'tsize granted' : `${name} ${value} granted`));

function fetchFacts(event: Fetch): Omit<ProtocolFact, 'client'>[] {
  if (event.type === 'tftp-request')
    return [{ by: 'client', text: `TFTP request for ${nameText(event.file)} (${optionsText(event.options)})` }];
  if (event.type === 'tftp-oack') return granted(event.options).map((text) => ({ by: 'server', text }));
  if (event.type === 'tftp-complete') return [{ by: 'client', text: `has ${nameText(event.file)} by TFTP` }];
  if (event.type === 'tftp-error')
    return [
      {
        by: event.from === 'guest' ? 'client' : 'server',
        text: `TFTP error ${event.code} for ${nameText(event.file)}`,
      },
    ];
  if (event.type === 'http-request') return [{ by: 'client', text: `HTTP ${event.method} ${event.target}` }];
  if (event.type === 'http-response')
    return [{ by: 'server', text: `HTTP status ${event.status} for ${event.target}` }];
  return [];
}

function factsOf({ client, asks, replies, fetches }: Exchange): ProtocolFact[] {
  const facts: Omit<ProtocolFact, 'client'>[] = [
    ...asks.map((ask) => ({ by: 'client' as const, text: askText(ask) })),
    ...replies.flatMap(replyTexts).map((text) => ({ by: 'server' as const, text })),
    ...fetches.flatMap((event) => fetchFacts(event as Fetch)),
  ];
  return facts.map((fact) => ({ client: clientText(client), ...fact }));
}

/** What was said between each client of a boot and its servers, each once, in order; without times and addresses. */
function protocolFacts(events: readonly HarnessEvent[]): ProtocolFact[] {
  const facts = exchangesIn(events).flatMap(factsOf);
  return [...new Map(facts.map((fact) => [`${fact.client} ${fact.by} ${fact.text}`, fact])).values()];
}

/** A fact of only one of two boots by the same client: one by the harness's own servers, and one by others. */
export interface ProtocolDifference extends ProtocolFact {
  only: 'own' | 'theirs';
}

const keyOf = ({ client, by, text }: ProtocolFact): string => `${client} ${by} ${text}`;

/** What differs between two boots, by their event logs. */
export function protocolDifferences(
  own: readonly HarnessEvent[],
  theirs: readonly HarnessEvent[],
): ProtocolDifference[] {
  const [here, there] = [protocolFacts(own), protocolFacts(theirs)];
  const lacking = (facts: readonly ProtocolFact[], others: readonly ProtocolFact[]) => {
    const known = new Set(others.map(keyOf));
    return facts.filter((fact) => !known.has(keyOf(fact)));
  };
  return [
    ...lacking(here, there).map((fact): ProtocolDifference => ({ ...fact, only: 'own' })),
    ...lacking(there, here).map((fact): ProtocolDifference => ({ ...fact, only: 'theirs' })),
  ];
}
