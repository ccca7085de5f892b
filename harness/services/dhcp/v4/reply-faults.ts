import type { ActionOf } from '../../../model/server-faults.ts';
import type { ChosenFaults } from '../../faults.ts';
import { type Spoils, spoiled } from '../spoil.ts';
import { nakFor, type Reply, type Request } from './answers.ts';
import { encodeReply } from './encode-reply.ts';
import { layOut } from './option-layout.ts';

type Action = ActionOf<'dhcp'>;

interface Context {
  readonly request: Request;
  readonly faults: ChosenFaults<'dhcp'>;
  readonly bootServerId: string;
  /** Identifier of a server that does not answer. */
  readonly absentServerId: string;
  readonly maxPayloadBytes: number;
}

/** A reply as it is to be sent, or why it cannot be, and the faults that had a part in it. */
export interface Prepared {
  /** Without any fault. */
  readonly planned: Reply;
  readonly reply: Reply;
  readonly payload: Buffer | { readonly note: string };
  readonly met: readonly Action[];
}

const leaseTime = 51;

const spoils: Spoils<'dhcp', Reply, Context> = {
  nak: (reply, _, { request }) => (reply.type === 'nak' ? reply : nakFor(request, reply, 'a fault of the scenario')),
  otherServerId: (reply, _, { absentServerId }) => ({ ...reply, serverId: absentServerId }),
  leaseSeconds(reply, seconds) {
    if (!reply.options.has(leaseTime)) return reply;
    const value = Buffer.alloc(4);
    value.writeUInt32BE(seconds);
    return { ...reply, options: new Map([...reply.options, [leaseTime, value]]) };
  },
  withoutBootFile(reply) {
    const { boot } = reply;
    if (boot?.rule?.file === undefined) return reply;
    const { file: _, ...rule } = boot.rule;
    return { ...reply, boot: { ...boot, rule } };
  },
};

const areAlike = (one: Prepared['payload'], other: Prepared['payload']): boolean =>
  Buffer.isBuffer(one) && Buffer.isBuffer(other) && one.equals(other);

/** A reply with what the request's faults do to it. */
export function prepareReply(planned: Reply, context: Context): Prepared {
  const { request, faults, bootServerId, maxPayloadBytes } = context;
  const encode = (reply: Reply) => encodeReply(request, reply, bootServerId);
  const { draft: reply, payload, met } = spoiled(planned, spoils, context, { encode, areAlike });
  if (!Buffer.isBuffer(payload)) return { planned, reply, payload, met };
  const laidOut = layOut(payload, faults);
  const { length } = laidOut.payload;
  const fits = length <= maxPayloadBytes;
  return {
    planned,
    reply,
    payload: fits ? laidOut.payload : { note: `a reply of ${length} bytes does not fit ${maxPayloadBytes}` },
    met: [...met, ...laidOut.met],
  };
}
