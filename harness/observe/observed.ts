import { tableBounds } from '../model/bounds.ts';
import { followDeliveries, type NamedBytes } from '../model/deliveries.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { Asked, Observed } from './evidence.ts';
import { saysIpv6 } from './serial-rules.ts';
import { unset, type WireEvent } from './wire-rules.ts';

/** Events on the wire caused by a frame from the guest. */
const isOfGuest = ({ type, from }: WireEvent & { from?: 'guest' | 'server' }): boolean =>
  from === 'guest' || type.endsWith('-request') || type === 'tcp-refused';

/** Adds to a bounded map with guest-supplied keys; drops the oldest entry. */
function setRecent<V>(map: Map<number, V>, key: number, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (oldest !== undefined && map.size > tableBounds.requests) map.delete(oldest);
}

/** What rules may ask about earlier events: `note` takes in one more. */
export function createObserved(
  plan: Plan,
  stages: ReadonlySet<Stage>,
): { observed: Observed; note(event: HarnessEvent): void } {
  /** Only files that prove something: a guest can ask for any number of others. */
  const wanted = new Set(Object.values(plan.deliveries).flatMap((files) => files.map(({ name }) => name)));
  const delivered = new Map<string, number>();
  const deliveryIn = followDeliveries((name) => wanted.has(name));
  let delivery: NamedBytes | undefined;
  const requests = new Map<number, Asked>();
  const offers = new Map<number, { address: string; count: number }>();
  let saidIpv6 = false;
  let quietSinceDelivery = false;
  let nbpAgain = 0;
  let ipxeAsked = false;
  const nbps = new Set(plan.deliveries.nbp.map(({ name }) => name));

  /** Firmware that fetches a file twice, to measure it first, does not ask for a lease in between. */
  function noteNbp(name: string): void {
    if (!nbps.has(name)) return;
    if (delivered.has(name) && ipxeAsked) nbpAgain += 1;
    ipxeAsked = false;
  }

  function noteDhcp(event: WireEvent): void {
    if (event.type === 'dhcp' && event.from === 'guest' && event.messageType === 'request') {
      if (event.ipxe) ipxeAsked = true;
      setRecent(requests, event.xid, { mac: event.mac, ipxe: event.ipxe, vendorClass: event.vendorClass ?? '' });
    }
    if (event.type === 'dhcp' && event.from === 'server' && event.messageType === 'offer') {
      if (event.yiaddr === unset) return;
      const count = (offers.get(event.xid)?.count ?? 0) + 1;
      setRecent(offers, event.xid, { address: event.yiaddr, count });
    }
    if (event.type === 'dhcp6' && event.from === 'guest') {
      if (event.userClass === 'iPXE') ipxeAsked = true;
      setRecent(requests, event.xid, { ipxe: event.userClass === 'iPXE', vendorClass: event.vendorClass ?? '' });
    }
  }

  return {
    observed: {
      stages,
      get delivery() {
        return delivery;
      },
      delivered,
      requests,
      offers,
      get saidIpv6() {
        return saidIpv6;
      },
      get nbpAgain() {
        return nbpAgain;
      },
      get quietSinceDelivery() {
        return quietSinceDelivery;
      },
    },
    note(event) {
      delivery = deliveryIn(event);
      if (delivery) noteNbp(delivery.name);
      if (delivery && wanted.has(delivery.name)) delivered.set(delivery.name, delivery.bytes);
      if (event.source === 'serial' && saysIpv6(event)) saidIpv6 = true;
      if (event.source !== 'wire') return;
      if (isOfGuest(event)) quietSinceDelivery = false;
      if (delivery) quietSinceDelivery = true;
      noteDhcp(event);
    },
  };
}
