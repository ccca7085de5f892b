import type { FaultOf } from '../../../model/server-faults.ts';
import { type Dhcp6Message, dhcp6Options, optionOf } from '../../../wire/codecs/dhcp6.ts';
import { type Decision6, decideLease6, type Server6 } from './lease-decision.ts';
import type { Answered } from './reply-faults.ts';

/** An answer, and which server's it is. */
export interface Answer6<D extends Decision6 = Decision6> {
  readonly server: Server6;
  readonly decision: D;
}

/** A second server's answer, which never says what to boot; undefined: it has none. */
function answerOf(rival: Server6, message: Dhcp6Message, mac: string): Answer6<Answered> | undefined {
  const decision = decideLease6(message, mac, rival);
  return decision.reply === null ? undefined : { server: rival, decision: { ...decision, configures: false } };
}

/** Its answer to a message that names it. */
export const meantFor6 = (rival: Server6, message: Dhcp6Message, mac: string): Answer6<Answered> | undefined =>
  optionOf(message, dhcp6Options.serverId)?.equals(rival.duid) ? answerOf(rival, message, mac) : undefined;

/** Its advertisement next to the first server's, in the order in which they are sent. */
export function alongside6(
  first: Answer6<Answered>,
  rival: Server6,
  { message, mac, fault }: { message: Dhcp6Message; mac: string; fault: NonNullable<FaultOf<'dhcp6'>['secondServer']> },
): Answer6<Answered>[] {
  const second = answerOf(rival, message, mac);
  if (second === undefined) return [first];
  return fault.answersFirst ? [second, first] : [first, second];
}
