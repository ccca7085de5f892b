import type { ActionOf, FaultOf } from '../../../model/server-faults.ts';
import {
  type Dhcp6Message,
  type Dhcp6Option,
  dhcp6Status,
  encodeDhcp6,
  type IaNa,
} from '../../../wire/codecs/dhcp6.ts';
import type { ChosenFaults } from '../../faults.ts';
import { type Spoils, spoiled } from '../spoil.ts';
import type { Decision6, Server6 } from './lease-decision.ts';

type Action = ActionOf<'dhcp6'>;
export type Answered = Extract<Decision6, { ias: unknown }>;

/** A decision, the server in whose name it is sent, and what is done to its options once they are written. */
interface Draft {
  readonly decision: Answered;
  readonly server: Server6;
  readonly arrange: (options: readonly Dhcp6Option[]) => readonly Dhcp6Option[];
}

interface Context {
  readonly request: Dhcp6Message;
  readonly faults: ChosenFaults<'dhcp6'>;
  /** The identifier of a server that does not answer. */
  readonly absentDuid: Buffer;
  optionsOf(decision: Answered, server: Server6): readonly Dhcp6Option[];
}

/** A reply as it is to be sent, and the faults that had a part in it. */
export interface Prepared6 {
  readonly decision: Answered;
  readonly payload: Buffer;
  readonly met: readonly Action[];
}

const spoils: Spoils<'dhcp6', Draft, Context> = {
  status: (draft, status, { request }) => ({ ...draft, decision: refusal6(status, request) }),
  leaseSeconds: (draft, seconds) => {
    const ias = draft.decision.ias.map((ia) => (ia.addresses.length > 0 ? leasedFor(ia, seconds) : ia));
    return { ...draft, decision: { ...draft.decision, ias } };
  },
  withoutBootFile: (draft) => ({ ...draft, decision: { ...draft.decision, configures: false } }),
  otherServerId: (draft, _, { absentDuid }) => ({ ...draft, server: { ...draft.server, duid: absentDuid } }),
  repeatOptions: (draft, repeated) => ({
    ...draft,
    arrange: (options) => options.flatMap((option) => (repeated.includes(option.code) ? [option, option] : [option])),
  }),
  reverseOptions: (draft) => ({ ...draft, arrange: (options) => draft.arrange(options).toReversed() }),
};

/** The refusal that a fault puts in place of an answer. */
function refusal6(status: NonNullable<FaultOf<'dhcp6'>['status']>, { messageType }: Dhcp6Message): Answered {
  const reply = messageType === 'solicit' ? 'advertise' : 'reply';
  return { reply, ias: [], status: dhcp6Status[status], configures: false, note: 'a fault of the scenario' };
}

const leasedFor = (ia: IaNa, seconds: number): IaNa => ({
  ...ia,
  t1Seconds: seconds * 0.5,
  t2Seconds: seconds * 0.8,
  addresses: ia.addresses.map(({ ip }) => ({ ip, preferredSeconds: seconds, validSeconds: seconds })),
});

/** A reply with what the request's faults do to it. */
export function prepareReply6(decision: Answered, server: Server6, context: Context): Prepared6 {
  const { request, optionsOf } = context;
  const encode = ({ decision, server, arrange }: Draft) =>
    encodeDhcp6({ messageType: decision.reply, xid: request.xid, options: arrange(optionsOf(decision, server)) });
  const areAlike = (one: Buffer, other: Buffer): boolean => one.equals(other);
  const planned: Draft = { decision, server, arrange: (options) => options };
  const { draft, payload, met } = spoiled(planned, spoils, context, { encode, areAlike });
  return { decision: draft.decision, payload, met };
}
