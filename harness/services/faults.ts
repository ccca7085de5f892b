import type { EventSink, UntimedEvent } from '../model/events.ts';
import type { Fault } from '../model/faults.ts';
import {
  type ActionOf,
  type FaultOf,
  type FaultyServer,
  type ServerFaultAction,
  serverFaultActions,
} from '../model/server-faults.ts';
import { chooser } from '../wire/faults/choice.ts';
import { isInForce, type Progress } from '../wire/faults/moment.ts';
import { randomFrom } from '../wire/faults/random.ts';

/** What a server does to one request on purpose: the actions of the faults that chose it. */
export interface ChosenFaults<S extends FaultyServer> {
  /** The value of an action, if the request is to meet it. */
  get<A extends ActionOf<S>>(action: A): FaultOf<S>[A] | undefined;
  /** Records that the request met it: what the client is sent, or not sent, is something else than without it. */
  met(action: ActionOf<S>): void;
  /** The value of an action that is carried out now. */
  take<A extends ActionOf<S>>(action: A): FaultOf<S>[A] | undefined;
}

type ServerFaultEvent = Exclude<Extract<UntimedEvent, { type: 'fault' }>, { source: 'run' | 'wire' }>;
type MatchOf<S extends FaultyServer> = FaultOf<S>['match'];

interface Asked<S extends FaultyServer> {
  /** For the log, such as `request`. */
  readonly what: string;
  matches(match: MatchOf<S>): boolean;
  /** Whether an action of this value can do anything to such a request; those that cannot are not counted. */
  concerns?<A extends ActionOf<S>>(action: A, value: NonNullable<FaultOf<S>[A]>): boolean;
}

export interface ServerFaults<S extends FaultyServer> {
  choose(asked: Asked<S>): ChosenFaults<S>;
}

/** Of a request that met no fault. */
export const noneChosen = { get: () => undefined, met: () => {}, take: () => undefined } as const;
/** Of a server that does nothing wrong. */
export const noFaults = { choose: () => noneChosen } as const;

export interface FaultOptions extends Progress {
  readonly emit: EventSink;
}

const sources = { dhcp: 'dhcp', dhcp6: 'dhcp', tftp: 'tftp', http: 'http', tls: 'http' } as const satisfies Record<
  FaultyServer,
  string
>;

/** The faults of a scenario that one of its servers has. */
export function serverFaults<S extends FaultyServer>(
  server: S,
  faults: readonly Fault[],
  { emit, ...progress }: FaultOptions,
): ServerFaults<S> {
  const isOwn = (fault: Fault): fault is FaultOf<S> => fault.server === server;
  const own = faults.flatMap((fault, index) => {
    if (!isOwn(fault)) return [];
    const values: Partial<Record<string, unknown>> = fault;
    const actions = serverFaultActions.filter((action) => values[action] !== undefined) as ActionOf<S>[];
    const isChosen = chooser(fault.of, randomFrom(fault.seed + index));
    return [{ fault, index, actions, isChosen, counts: new Map<ActionOf<S>, number>() }];
  });
  if (own.length === 0) return noFaults;

  type Own = (typeof own)[number];

  return {
    choose({ what, matches, concerns = () => true }) {
      const does = ({ fault, actions }: Own, action: ActionOf<S>): boolean =>
        actions.includes(action) && concerns(action, fault[action] as NonNullable<FaultOf<S>[ActionOf<S>]>);
      const chosen = own.filter(
        (one) =>
          isInForce(one.fault, progress) &&
          matches(one.fault.match as MatchOf<S>) &&
          one.actions.some((action) => does(one, action)) &&
          one.isChosen(),
      );
      if (chosen.length === 0) return noneChosen;
      const find = (action: ActionOf<S>): Own | undefined => chosen.find((one) => does(one, action));
      const met = (action: ActionOf<S>): void => {
        const found = find(action);
        if (found === undefined) return;
        const count = (found.counts.get(action) ?? 0) + 1;
        found.counts.set(action, count);
        const facts = { fault: found.index, action: action as ServerFaultAction, what, count };
        emit({ source: sources[server], type: 'fault', ...facts } as ServerFaultEvent);
      };
      const get = <A extends ActionOf<S>>(action: A): FaultOf<S>[A] | undefined => find(action)?.fault[action];
      return {
        get,
        met,
        take(action) {
          met(action);
          return get(action);
        },
      };
    },
  };
}
