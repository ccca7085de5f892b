import type { Dhcp6Message } from '../../../wire/codecs/dhcp6.ts';
import { dhcp6Options, optionOf } from '../../../wire/codecs/dhcp6.ts';
import type { ChosenFaults } from '../../faults.ts';
import { type Decision6, decideLease6, type Server6 } from './lease-decision.ts';

/** An answer, and which server's it is. */
export interface Answer6 {
  readonly server: Server6;
  readonly decision: Decision6;
}

interface Request {
  readonly message: Dhcp6Message;
  readonly mac: string;
  readonly faults: ChosenFaults<'dhcp6'>;
}

/** A second server on the network: its answer next to the first one's, in the order in which they are sent. */
export function alongside6(first: Answer6, rival: Server6, { message, mac, faults }: Request): Answer6[] {
  const met = faults.take('secondServer');
  const isMeant = optionOf(message, dhcp6Options.serverId)?.equals(rival.duid) ?? false;
  if (met === undefined && !isMeant) return [first];
  const decision = decideLease6(message, mac, rival);
  if (decision.reply === null) return [first];
  const second = { server: rival, decision: { ...decision, configures: false } };
  if (first.decision.reply === null) return [second];
  return met?.answersFirst ? [second, first] : [first, second];
}
