import { type BootRule, bootRuleSchema } from '../../../model/boot-rule.ts';
import type { FaultOf } from '../../../model/server-faults.ts';
import { createLeasePool } from '../lease-pool.ts';
import { hostsFrom, spareHost } from '../subnet.ts';
import { type Answer, answerAddressRequest, type Request, type Servers } from './answers.ts';

type SecondServer = NonNullable<FaultOf<'dhcp'>['secondServer']>;

/** A second server on the network, with addresses and an identifier of its own. */
export interface Rival {
  readonly serverId: string;
  /** Its answer next to the first server's. */
  alongside(first: Answer, request: Request): Answer;
}

/** It gives out the first server's addresses from the other end; what it offers is what the fault says that a DISCOVER met last. */
export function createRival({ network, addressServerId, bootServerId }: Servers): Rival {
  const { guestIp, serverIp, netmask } = network;
  const ownId = spareHost(guestIp, netmask, [serverIp, guestIp, addressServerId]);
  const addresses = hostsFrom(guestIp, netmask, [serverIp, guestIp, addressServerId, ownId]).toReversed();
  const servers = { network, bootServerId, addressServerId: ownId, pool: createLeasePool(addresses) };
  let latest: SecondServer | undefined;

  return {
    serverId: ownId,
    alongside(first, request) {
      const met = request.faults.take('secondServer');
      latest = met ?? latest;
      const isMeant = met !== undefined || request.client.facts.serverId === ownId;
      if (latest === undefined || !isMeant) return first;
      const second = answerAddressRequest({ ...request, rule: ruleOf(latest) }, servers);
      if ('note' in second) return first;
      if ('note' in first) return second;
      const replies = [first.replies, second.replies];
      return { replies: (latest.answersFirst ? replies.toReversed() : replies).flat() };
    },
  };
}

const ruleOf = ({ file }: SecondServer): BootRule => bootRuleSchema.parse({ name: 'the second server', file });
