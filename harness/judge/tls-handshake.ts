import type { Certificate } from '../model/certificate.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';

interface Boot {
  readonly plan: Plan;
  readonly events: readonly HarnessEvent[];
}

interface Broken {
  readonly from: 'guest' | 'server';
  readonly alert: string;
}

/** The end of a handshake, as an event has it; later alerts are encrypted. */
function brokenBy(event: HarnessEvent): Broken | undefined {
  if (event.source === 'http' && event.type === 'tls-refused') return { from: 'guest', alert: event.reason };
  if (event.source !== 'wire' || event.type !== 'tls') return undefined;
  const alert = /^alert:(.*)$/.exec(event.kind)?.[1];
  return alert === undefined ? undefined : { from: event.from, alert };
}

/** How the last handshake that went wrong ended. */
function lastBroken({ plan, events }: Boot): Broken | undefined {
  if (plan.tls === undefined) return undefined;
  const ends = events.flatMap((event) => brokenBy(event) ?? []);
  // The closure that answers an error is not the guest's own (RFC 8446 §6.1).
  return ends.findLast(({ alert }, at) => alert !== 'close_notify' || ends[at - 1]?.from !== 'server');
}

/** The certificate that the guest was shown last: a fault may have replaced the scenario's. */
function shown({ plan, events }: Boot): Certificate {
  const replaced = events.flatMap((event) => {
    if (event.source !== 'http' || event.type !== 'fault' || event.action !== 'certificate') return [];
    const fault = plan.scenario.faults?.[event.fault];
    return fault?.server === 'tls' && fault.certificate !== undefined ? [fault.certificate] : [];
  });
  return replaced.at(-1) ?? plan.tls?.certificate ?? 'valid';
}

/** The certificate at which the guest broke its last handshake off. EDK II leaves without an alert; others say why. */
export const refusedCertificate = (boot: Boot): Certificate | undefined =>
  lastBroken(boot)?.from === 'guest' ? shown(boot) : undefined;

/** The alert with which the server ended the last handshake, by the name of RFC 8446 §6. */
export function alertOfServer(boot: Boot): string | undefined {
  const last = lastBroken(boot);
  return last?.from === 'server' ? last.alert : undefined;
}
