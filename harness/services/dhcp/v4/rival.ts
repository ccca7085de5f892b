import { type BootRule, bootRuleSchema } from '../../../model/boot-rule.ts';
import type { FaultOf } from '../../../model/server-faults.ts';
import { createLeasePool } from '../lease-pool.ts';
import { hostsFrom, spareHost } from '../subnet.ts';
import { type Answer, answerAddressRequest, type Reply, type Request, type Servers } from './answers.ts';

type SecondServer = NonNullable<FaultOf<'dhcp'>['secondServer']>;

/** A second server on the network, with addresses and an identifier of its own. */
export interface Rival {
  readonly serverId: string;
  /** Its answer to a request that chose its offer; undefined if it made none, or another was chosen. */
  answer(request: Request): Answer | undefined;
  /** Its offer next to the first server's replies. */
  alongside(first: readonly Reply[], request: Request, offered: SecondServer): readonly Reply[];
}

/** It gives out the first server's addresses from the other end; what it offers is what the fault says that a DISCOVER met last. */
export function createRival({ network, addressServerId, bootServerId }: Servers): Rival {
  const { guestIp, serverIp, netmask } = network;
  const ownId = spareHost(guestIp, netmask, [serverIp, guestIp, addressServerId]);
  const addresses = hostsFrom(guestIp, netmask, [serverIp, guestIp, addressServerId, ownId]).toReversed();
  const servers = { network, bootServerId, addressServerId: ownId, pool: createLeasePool(addresses) };
  let latest: SecondServer | undefined;
  const answerBy = (request: Request, by: SecondServer) =>
    answerAddressRequest({ ...request, rule: ruleOf(by) }, servers);

  return {
    serverId: ownId,
    answer: (request) =>
      latest !== undefined && request.client.facts.serverId === ownId ? answerBy(request, latest) : undefined,
    alongside(first, request, offered) {
      latest = offered;
      const second = answerBy(request, offered);
      if ('note' in second) return first;
      return offered.answersFirst ? [...second.replies, ...first] : [...first, ...second.replies];
    },
  };
}

const ruleOf = ({ file }: SecondServer): BootRule => bootRuleSchema.parse({ name: 'the second server', file });
