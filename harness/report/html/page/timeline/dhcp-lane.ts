import type { AttemptRecord, RecordedEvent } from '../../report-data.ts';
import { duration } from '../format.ts';
import type { Lane, Span, Tick } from './lane.ts';

type Message = Extract<RecordedEvent, { type: 'dhcp' | 'dhcp6' }>;

const isMessage = (event: RecordedEvent): event is Message =>
  event.source === 'wire' && (event.type === 'dhcp' || event.type === 'dhcp6');

const protocol = ({ type }: Message): string => (type === 'dhcp' ? 'DHCP' : 'DHCPv6');
const name = (message: Message): string => `${protocol(message)} ${message.messageType.toUpperCase()}`;

const offers = ['offer', 'advertise'];

/** Shorter waits get no label. */
const leastLabelledMs = 300;

/** What the time between a message and the next one of its exchange was spent on. */
function between(before: Message, after: Message): Span {
  const span = { startMs: before.tMs, endMs: after.tMs };
  const isLong = after.tMs - before.tMs >= leastLabelledMs;
  const waited = duration(after.tMs - before.tMs);
  if (before.from === 'guest' && after.from === 'guest') {
    return {
      ...span,
      kind: 'broken',
      label: isLong ? `${waited} without an answer` : '',
      detail: `${name(before)} had no answer; asked again after ${waited}`,
    };
  }
  if (after.from === 'guest' && offers.includes(before.messageType)) {
    return {
      ...span,
      kind: 'waiting',
      label: isLong ? `${waited} of waiting for offers` : '',
      detail: `The guest waited ${waited} for further offers before its ${after.messageType.toUpperCase()}`,
    };
  }
  return { ...span, kind: 'exchange', label: '', detail: `${name(before)}, then ${name(after)} after ${waited}` };
}

/** A DHCPv6 client makes an xid for each question, so there the order alone says what belongs together. */
const exchangeOf = (message: Message): string => (message.type === 'dhcp' ? `4 ${message.xid}` : '6');
const startsAnew = ({ messageType }: Message): boolean => ['discover', 'solicit'].includes(messageType);

function exchanges(messages: readonly Message[]): Message[][] {
  const open = new Map<string, Message[]>();
  const all: Message[][] = [];
  for (const message of messages) {
    const key = exchangeOf(message);
    const known = open.get(key);
    const answered = known?.some(({ from }) => from === 'server') ?? false;
    if (known && !(startsAnew(message) && answered)) known.push(message);
    else {
      const begun = [message];
      open.set(key, begun);
      all.push(begun);
    }
  }
  return all;
}

export function dhcpLane({ events }: AttemptRecord): Lane {
  const messages = events.filter(isMessage);
  const spans = exchanges(messages).flatMap((exchange) =>
    exchange.slice(1).map((message, index) => between(exchange[index] as Message, message)),
  );
  const ticks = messages.map(
    (message): Tick => ({ tMs: message.tMs, kind: message.from, weight: 1, detail: name(message) }),
  );
  return { name: 'DHCP', mostRows: 2, isSequence: true, spans, ticks };
}
