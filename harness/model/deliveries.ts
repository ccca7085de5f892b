import type { HarnessEvent, UntimedEvent } from './events.ts';
import { nameOf, parseTarget } from './served-name.ts';

/** The served name of a request target; undefined where nothing can be served under it. */
export function nameOfTarget(target: string): string | undefined {
  const name = parseTarget(target);
  return typeof name === 'string' ? name : undefined;
}

export interface NamedBytes {
  readonly name: string;
  readonly bytes: number;
}

const namedBytes = (name: string | undefined, bytes: number): NamedBytes | undefined =>
  name === undefined ? undefined : { name, bytes };

/**
 * The name of a file delivered by TFTP, HTTP or NFS. TLS is opaque on the wire: there the server's own log counts, for a
 * complete response on a connection that the guest kept open.
 */
export function deliveryOf(event: UntimedEvent): NamedBytes | undefined {
  if (event.source === 'http') {
    const seen = event.type === 'served' && event.tls && isWhole(event);
    return seen ? namedBytes(nameOfTarget(event.target), event.bytes) : undefined;
  }
  if (event.source !== 'wire') return undefined;
  if (event.type === 'tftp-complete' || event.type === 'nfs-complete')
    return namedBytes(nameOf(event.file), event.bytes);
  if (event.type !== 'http-complete') return undefined;
  if (event.status !== 200 && event.resumedAt === undefined) return undefined;
  return namedBytes(nameOfTarget(event.target), (event.resumedAt ?? 0) + event.bytes);
}

/** What iPXE prints of an image that it has fetched and is about to start, such as `undionly.kpxe : 74213 bytes [PXE-NBP]`. */
const ipxeImage = /^(.+?) : (\d+) bytes \[([^\]]+)\]/;

/** A length seen on the wire before the content was acknowledged. */
interface Promised extends NamedBytes {
  readonly by: 'tftp' | 'http';
}

/**
 * What iPXE had fetched when it started it. Over HTTP it may do so before it acknowledges the last bytes; over TFTP the last
 * ACK stays unsent if a script at once closes the device. Its own message then stands in for that ACK, provided that it
 * agrees with the length promised on the wire for that name.
 */
function startedOf(event: UntimedEvent, promised: ReadonlyMap<string, Promised>): NamedBytes | undefined {
  if (event.source !== 'serial') return undefined;
  const [, name = '', bytes, kind] = ipxeImage.exec(event.text) ?? [];
  const promise = promised.get(name);
  if (promise?.bytes !== Number(bytes) || (promise.by === 'tftp' && kind !== 'script')) return undefined;
  return { name, bytes: promise.bytes };
}

/**
 * Follows a guest's events in their order: gives the file that each shows as delivered. A guest can ask for any number of
 * names; lengths are remembered for the `wanted` ones only.
 */
export function followDeliveries(
  wanted: (name: string) => boolean = () => true,
): (event: HarnessEvent) => NamedBytes | undefined {
  const promised = new Map<string, Promised>();
  return (event) => {
    const promise = event.source === 'wire' ? promiseOf(event) : undefined;
    if (promise && wanted(promise.name)) promised.set(promise.name, promise);
    return deliveryOf(event) ?? startedOf(event, promised);
  };
}

/** From TFTP's `tsize` (RFC 2349), or from the head of an HTTP response or, where that says no length, its end. */
export function promiseOf(event: Extract<HarnessEvent, { source: 'wire' }>): Promised | undefined {
  if (event.type === 'tftp-oack') {
    const { tsize = '' } = event.options;
    return /^\d{1,15}$/.test(tsize) ? { name: nameOf(event.file), bytes: Number(tsize), by: 'tftp' } : undefined;
  }
  const promise = httpPromiseOf(event);
  return promise && { ...promise, by: 'http' };
}

function httpPromiseOf(event: Extract<HarnessEvent, { source: 'wire' }>): NamedBytes | undefined {
  if (event.type === 'http-sent' && event.status === 200) return namedBytes(nameOfTarget(event.target), event.bytes);
  if (event.type !== 'http-response' || event.status !== 200 || event.length === null) return undefined;
  return namedBytes(nameOfTarget(event.target), event.length);
}

type Served = Extract<UntimedEvent, { source: 'http'; type: 'served' }>;

const isWhole = ({ method, status, note }: Served): boolean => method === 'GET' && status === 200 && note === undefined;

/**
 * A name that the boot policy may count as delivered. A loader may start a file before it acknowledges its last byte: the
 * wire then has no proof of delivery, and the server's log is enough to choose what comes next.
 */
export function handedOverOf(event: UntimedEvent): string | undefined {
  if (event.source === 'http' && event.type === 'served' && isWhole(event)) return nameOfTarget(event.target);
  return deliveryOf(event)?.name;
}
