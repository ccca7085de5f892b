import { tableBounds } from '../model/bounds.ts';
import { deliveryOf, promiseOf, startedOf } from '../model/deliveries.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { Evidence, FailureEvidence, Observed, Rule } from './evidence.ts';
import { guestRules } from './machine-rules.ts';
import { createStandingRemarks } from './remarks.ts';
import { saysIpv6, serialRules } from './serial-rules.ts';
import { wireFailureRules } from './wire-failures.ts';
import { deliveryRules, unset, type WireEvent, wireRules } from './wire-rules.ts';

/** Which table reads which source. Servers' own events explain but never prove, except for what TLS hides. */
const tables: Partial<Record<HarnessEvent['source'], readonly Rule<never>[]>> = {
  serial: serialRules,
  wire: [...wireRules, ...wireFailureRules],
  http: deliveryRules,
  qmp: guestRules,
  vm: guestRules,
  run: guestRules,
};

const maxRemarks = 500;

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

export interface Observer {
  /** New evidence from this event. */
  observe(event: HarnessEvent): Evidence[];
  readonly evidence: readonly Evidence[];
  /** The path is complete. */
  readonly complete: boolean;
  /** What ended the case, once something has. */
  readonly ending: FailureEvidence | undefined;
  /** The last remark of each source still in force: what may explain an end. */
  readonly remarks: readonly FailureEvidence[];
}

/** Folds events into evidence: pure over the events given, so that a saved log gives what the live run gave. */
export function createObserver(plan: Plan): Observer {
  const stages = new Set<Stage>();
  /** Only files that prove something: a guest can ask for any number of others. */
  const wanted = new Set(Object.values(plan.deliveries).flatMap((files) => files.map(({ name }) => name)));
  const delivered = new Map<string, number>();
  const promised = new Map<string, number>();
  const requests = new Map<number, { ipxe: boolean; vendorClass: string }>();
  const offers = new Map<number, string>();
  const evidence: Evidence[] = [];
  const remarks = createStandingRemarks();
  const remarked = new Set<string>();
  let ending: FailureEvidence | undefined;
  let saidIpv6 = false;
  let quietSinceDelivery = false;

  const observed: Observed = {
    stages,
    delivered,
    promised,
    requests,
    offers,
    get saidIpv6() {
      return saidIpv6;
    },
    get quietSinceDelivery() {
      return quietSinceDelivery;
    },
  };

  const remember = (event: HarnessEvent): void => {
    const delivery = deliveryOf(event) ?? startedOf(event, promised);
    if (delivery && wanted.has(delivery.name)) delivered.set(delivery.name, delivery.bytes);
    if (event.source === 'serial' && saysIpv6(event)) saidIpv6 = true;
    if (event.source !== 'wire') return;
    if (isOfGuest(event)) quietSinceDelivery = false;
    if (delivery) quietSinceDelivery = true;
    const promise = promiseOf(event);
    if (promise && wanted.has(promise.name)) promised.set(promise.name, promise.bytes);
    if (event.type === 'dhcp' && event.from === 'guest' && event.messageType === 'request') {
      setRecent(requests, event.xid, { ipxe: event.ipxe, vendorClass: event.vendorClass ?? '' });
    }
    if (event.type === 'dhcp' && event.from === 'server' && event.messageType === 'offer') {
      if (event.yiaddr !== unset) setRecent(offers, event.xid, event.yiaddr);
    }
    if (event.type === 'dhcp6' && event.from === 'guest') {
      setRecent(requests, event.xid, { ipxe: event.userClass === 'iPXE', vendorClass: event.vendorClass ?? '' });
    }
  };

  const isComplete = (): boolean => plan.stagePath.every((stage) => stages.has(stage));

  /** Applies the rules to one event; a stage found counts for later rules. */
  const findingsOf = (event: HarnessEvent): Evidence[] => {
    const fresh: Evidence[] = [];
    for (const rule of tables[event.source] ?? []) {
      const finding = rule.match(event as never, plan, observed);
      if (!finding) continue;
      const seen = { source: event.source, atMs: event.tMs, text: finding.text };
      if ('failure' in finding) fresh.push({ kind: 'failure', rule: finding.failure, ends: finding.ends, ...seen });
      else if (!stages.has(finding.stage)) {
        stages.add(finding.stage);
        fresh.push({ kind: 'stage', stage: finding.stage, rule: rule.name, ...seen });
      }
    }
    return fresh;
  };

  /** Keeps every end and stage, but each remark once and only so many of them. */
  const isNews = (one: Evidence): boolean => {
    if (one.kind === 'stage' || one.ends) return true;
    const key = `${one.rule} ${one.text}`;
    if (remarked.has(key) || remarked.size >= maxRemarks) return false;
    remarked.add(key);
    return true;
  };

  return {
    evidence,
    get complete() {
      return isComplete();
    },
    get ending() {
      return ending;
    },
    get remarks() {
      return remarks.all();
    },
    observe(event) {
      // A verdict is final once its case has ended: later output of a dying guest does not change it.
      if (ending || isComplete()) return [];
      remember(event);
      const fresh = findingsOf(event);
      ending = fresh.find((one) => one.kind === 'failure' && one.ends) as FailureEvidence | undefined;
      remarks.after(event, fresh);
      const news = fresh.filter(isNews);
      evidence.push(...news);
      return news;
    },
  };
}
