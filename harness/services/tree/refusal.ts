/** Why a name is not served. */
export interface TreeRefusal {
  readonly kind: 'refused';
  readonly cause: 'unsafe-name' | 'not-found' | 'unreadable';
  /** For the event log only, never the guest: may contain host paths. */
  readonly reason: string;
}

export function refusal(cause: TreeRefusal['cause'], reason: string): TreeRefusal {
  return { kind: 'refused', cause, reason };
}
