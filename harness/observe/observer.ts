import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { Evidence, Observed, Rule } from './evidence.ts';
import { guestRules } from './machine-rules.ts';
import { saysIpv6, serialRules } from './serial-rules.ts';
import { deliveryOf, deliveryRules, promiseOf, startedOf, wireRules } from './wire-rules.ts';

/** Which table reads which source. Servers' own events are explanation, never evidence, but for what TLS hides. */
const tables: Partial<Record<HarnessEvent['source'], readonly Rule<never>[]>> = {
  serial: serialRules,
  wire: wireRules,
  http: deliveryRules,
  qmp: guestRules,
  vm: guestRules,
  run: guestRules,
};

export interface Observer {
  /** Evidence this event brings, each stage and each failure rule once. */
  observe(event: HarnessEvent): Evidence[];
  readonly evidence: readonly Evidence[];
  /** The path is complete. */
  readonly complete: boolean;
}

/** Folds events into evidence: pure over the events given, so that a saved log gives what the live run gave. */
export function createObserver(plan: Plan): Observer {
  const stages = new Set<Stage>();
  const failures = new Set<string>();
  const delivered = new Map<string, number>();
  const promised = new Map<string, number>();
  const requests = new Map<number, { ipxe: boolean; vendorClass: string }>();
  const evidence: Evidence[] = [];
  /** Nothing further can come. */
  let ended = false;

  let saidIpv6 = false;

  const observed: Observed = {
    stages,
    delivered,
    promised,
    requests,
    get saidIpv6() {
      return saidIpv6;
    },
  };

  const remember = (event: HarnessEvent): void => {
    const delivery = deliveryOf(event) ?? startedOf(event, promised);
    if (delivery) delivered.set(delivery.name, delivery.bytes);
    if (event.source === 'serial' && saysIpv6(event)) saidIpv6 = true;
    if (event.source !== 'wire') return;
    const promise = promiseOf(event);
    if (promise) promised.set(promise.name, promise.bytes);
    if (event.type === 'dhcp' && event.from === 'guest' && event.messageType === 'request') {
      requests.set(event.xid, { ipxe: event.ipxe, vendorClass: event.vendorClass ?? '' });
    }
    if (event.type === 'dhcp6' && event.from === 'guest') {
      requests.set(event.xid, { ipxe: event.userClass === 'iPXE', vendorClass: event.vendorClass ?? '' });
    }
  };

  const isComplete = (): boolean => plan.stagePath.every((stage) => stages.has(stage));

  return {
    evidence,
    get complete() {
      return isComplete();
    },
    observe(event) {
      // A verdict stands once its case has ended: what a dying guest still says does not change it.
      if (ended || isComplete()) return [];
      remember(event);
      const fresh: Evidence[] = [];
      for (const rule of tables[event.source] ?? []) {
        const finding = rule.match(event as never, plan, observed);
        if (!finding) continue;
        const common = { rule: rule.name, atMs: event.tMs, text: finding.text };
        if ('stage' in finding) {
          if (stages.has(finding.stage)) continue;
          stages.add(finding.stage);
          fresh.push({ kind: 'stage', stage: finding.stage, ...common });
        } else {
          if (finding.ends) ended = true;
          if (failures.has(rule.name)) continue;
          failures.add(rule.name);
          fresh.push({ kind: 'failure', ends: finding.ends, ...common });
        }
      }
      evidence.push(...fresh);
      return fresh;
    },
  };
}
