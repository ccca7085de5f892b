import type { NamedBytes } from '../model/deliveries.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { FailureRule } from '../model/failure-rules.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';

interface Seen {
  /** Name of the rule that recognised it. */
  rule: string;
  source: HarnessEvent['source'];
  atMs: number;
  text: string;
}

export interface StageEvidence extends Seen {
  kind: 'stage';
  stage: Stage;
}

export interface FailureEvidence extends Seen {
  kind: 'failure';
  rule: FailureRule;
  /** Final: the case ends now. Otherwise a remark, and the boot may still recover. */
  ends: boolean;
}

/** What a rule infers from an event: a stage reached, or a sign that the boot has failed. */
export type Evidence = StageEvidence | FailureEvidence;

/** What a guest asked a DHCP server. */
export interface Asked {
  /** DHCPv4: a reply is for whoever sent both its xid and its hardware address (RFC 2131 §4.1). */
  readonly mac?: string;
  readonly ipxe: boolean;
  readonly vendorClass: string;
}

/** State that rules may consult. Comes from events, never from the plan. */
export interface Observed {
  /** Stages reached so far. */
  readonly stages: ReadonlySet<Stage>;
  /** The file that the event at hand shows as delivered. */
  readonly delivery: NamedBytes | undefined;
  /** Served names delivered completely, with their lengths in bytes. */
  readonly delivered: ReadonlyMap<string, number>;
  /** The firmware announced an IPv6 boot on the console. The wire may be well ahead of that. */
  readonly saidIpv6: boolean;
  /** xids of DHCP REQUESTs from the guest, with how the client identified itself. */
  readonly requests: ReadonlyMap<number, Asked>;
  /** How often in a row the NBP was delivered to an iPXE that asked anew after it had been delivered before. */
  readonly nbpAgain: number;
  /** A file was delivered, and the guest has sent nothing since. */
  readonly quietSinceDelivery: boolean;
  /** xids of DHCP DISCOVERs that were answered, with the address offered and how often. */
  readonly offers: ReadonlyMap<number, { address: string; count: number }>;
}

/** One row of a rule table. `proves` explains why this evidence suffices. */
export interface Rule<E extends HarnessEvent = HarnessEvent> {
  readonly name: string;
  readonly proves: string;
  match(event: E, plan: Plan, observed: Observed): RuleMatch | undefined;
}

export type RuleMatch =
  | { stage: Stage; text: string }
  /** `ends` false: a remark, the boot may still recover. */
  | { failure: FailureRule; text: string; ends: boolean };
