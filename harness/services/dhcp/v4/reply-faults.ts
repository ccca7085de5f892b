import type { ActionOf, FaultOf } from '../../../model/server-faults.ts';
import type { Reply, Request } from './answers.ts';

type Action = ActionOf<'dhcp'>;

interface Context {
  /** Identifier of a server that does not answer. */
  readonly absentServerId: string;
}

/** What a fault makes of a reply; the reply itself if it does nothing to this one. */
type Spoil<A extends Action> = (reply: Reply, value: NonNullable<FaultOf<'dhcp'>[A]>, context: Context) => Reply;

const leaseTime = 51;

const spoils: { readonly [A in Action]?: Spoil<A> } = {
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

/** A reply with what the request's faults do to its contents; how it is written is up to `layOut`. */
export function spoilReply(reply: Reply, { faults }: Pick<Request, 'faults'>, context: Context): Reply {
  return (Object.keys(spoils) as Action[]).reduce((former, action) => {
    const value = faults.get(action);
    const spoil = spoils[action] as Spoil<Action> | undefined;
    if (value === undefined || spoil === undefined) return former;
    const spoiled = spoil(former, value, context);
    if (spoiled !== former) faults.met(action);
    return spoiled;
  }, reply);
}
