import type { HarnessEvent } from '../model/events.ts';
import type { Evidence, FailureEvidence } from './evidence.ts';

/** A new request of the guest: remarks about earlier requests no longer apply. */
function asksAnew(event: HarnessEvent): boolean {
  if (event.source !== 'wire') return false;
  switch (event.type) {
    case 'tftp-request':
    case 'http-request':
    case 'nfs-lookup':
      return true;
    case 'tls':
      return event.kind === 'client-hello';
    case 'dhcp':
    case 'dhcp6':
      return event.from === 'guest' && event.messageType === 'request';
    default:
      return false;
  }
}

/** A sign of trouble that the boot may still recover from. */
export const isRemark = (one: Evidence): one is FailureEvidence => one.kind === 'failure' && !one.ends;

/**
 * The last remark of each source, until the boot gets further or the guest turns to something else. Sources are kept
 * apart because console and wire are not in order: the console may lag by a second.
 */
export function createStandingRemarks() {
  const standing = new Map<HarnessEvent['source'], FailureEvidence[]>();
  return {
    all: (): FailureEvidence[] => [...standing.values()].flat(),
    after(event: HarnessEvent, evidence: readonly Evidence[]): void {
      if (asksAnew(event) || evidence.some(({ kind }) => kind === 'stage')) standing.delete(event.source);
      const remarks = evidence.filter(isRemark);
      if (remarks.length > 0) standing.set(event.source, remarks);
    },
  };
}
