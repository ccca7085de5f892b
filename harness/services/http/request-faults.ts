import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { nameOfTarget } from '../../model/deliveries.ts';
import { globMatches } from '../../model/glob.ts';
import type { ActionOf, FaultOf } from '../../model/server-faults.ts';
import type { ChosenFaults, ServerFaults } from '../faults.ts';
import type { Planned } from './answer.ts';

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly planned: Planned;
}

type Concern<A extends ActionOf<'http'>> = (asked: Asked, value: NonNullable<FaultOf<'http'>[A]>) => boolean;

/** The part of the file that is sent as a body. */
function bodyOf({ request: { method }, planned }: Asked) {
  if (method !== 'GET' || planned.file === undefined || planned.range === 'unsatisfiable') return { start: 0, end: 0 };
  return planned.range ?? { start: 0, end: planned.file.bytes };
}

/** Which requests an action does something to; any, where none is given. */
const concerns: { readonly [A in ActionOf<'http'>]?: Concern<A> } = {
  status: ({ planned }, status) => status < 400 || planned.file !== undefined || planned.status !== status,
  contentLength: ({ planned }) => planned.file !== undefined && planned.range !== 'unsatisfiable',
  truncateToBytes: (asked, bytes) => bytes < bodyOf(asked).end,
  withoutCloseNotify: ({ request }) => request.socket instanceof TLSSocket,
  ignoreRange: ({ planned }) => planned.file !== undefined && planned.range !== undefined,
  bytesPerSecond: (asked) => bodyOf(asked).end > bodyOf(asked).start,
  closeAfterwards: ({ response }) => response.shouldKeepAlive,
};

/** The faults that a request meets. */
export function faultsOf(asked: Asked, faults: ServerFaults<'http'>): ChosenFaults<'http'> {
  const { method, url = '' } = asked.request;
  const name = nameOfTarget(url);
  return faults.choose({
    what: `${method} ${url}`,
    matches: (match) =>
      (match.method === undefined || match.method === method) &&
      (match.file === undefined || (name !== undefined && globMatches(match.file, name))),
    concerns: (action, value) => (concerns[action] as Concern<typeof action> | undefined)?.(asked, value) ?? true,
  });
}
