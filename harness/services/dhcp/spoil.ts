import type { ActionOf, FaultOf } from '../../model/server-faults.ts';
import type { ChosenFaults } from '../faults.ts';

type Server = 'dhcp' | 'dhcp6';

interface Context<S extends Server> {
  readonly faults: ChosenFaults<S>;
}

type Spoil<S extends Server, A extends ActionOf<S>, Draft, C> = (
  draft: Draft,
  value: NonNullable<FaultOf<S>[A]>,
  context: C,
) => Draft;

/** What a fault makes of a reply, in the order in which they apply. */
export type Spoils<S extends Server, Draft, C> = { readonly [A in ActionOf<S>]?: Spoil<S, A, Draft, C> };

/** How a reply is sent, and whether two such are the same to the client. */
interface Encoding<Draft, Payload> {
  encode(draft: Draft): Payload;
  areAlike(one: Payload, other: Payload): boolean;
}

/** A reply with what the request's faults do to it. One that leaves what is sent as it was is not met. */
export function spoiled<S extends Server, Draft, Payload, C extends Context<S>>(
  planned: Draft,
  spoils: Spoils<S, Draft, C>,
  context: C,
  { encode, areAlike }: Encoding<Draft, Payload>,
): { draft: Draft; payload: Payload; met: ActionOf<S>[] } {
  const met: ActionOf<S>[] = [];
  let draft = planned;
  let payload = encode(draft);
  for (const [action, spoil] of Object.entries(spoils) as [ActionOf<S>, Spoil<S, ActionOf<S>, Draft, C>][]) {
    const value = context.faults.get(action) as Parameters<typeof spoil>[1] | undefined;
    if (value === undefined) continue;
    const next = spoil(draft, value, context);
    const encoded = encode(next);
    if (areAlike(payload, encoded)) continue;
    [draft, payload] = [next, encoded];
    met.push(action);
  }
  return { draft, payload, met };
}
