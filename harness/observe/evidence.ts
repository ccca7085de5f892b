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
  /** Nothing further can come: the case ends now. Otherwise it is a remark, and the boot may still recover. */
  ends: boolean;
}

/** What a rule makes of one event: a stage reached, or a sign that the boot has failed. */
export type Evidence = StageEvidence | FailureEvidence;

/** What rules may look back at. Grows with the events; never guessed from the plan. */
export interface Observed {
  /** Stages reached so far. */
  readonly stages: ReadonlySet<Stage>;
  /** Served names delivered whole, with their lengths. */
  readonly delivered: ReadonlyMap<string, number>;
  /** Names that an HTTP response with a length was seen for. */
  readonly promised: ReadonlyMap<string, number>;
  /** The firmware has said on the console that it boots over IPv6. The wire may be well ahead of that. */
  readonly saidIpv6: boolean;
  /** xids of DHCP REQUESTs from the guest, with what the client said of itself. */
  readonly requests: ReadonlyMap<number, { ipxe: boolean; vendorClass: string }>;
  /** A file was delivered to the guest, and nothing of the guest's was on the wire since. */
  readonly quietSinceDelivery: boolean;
  /** xids of DHCP DISCOVERs that were answered, with the address offered. */
  readonly offers: ReadonlyMap<number, string>;
}

/** One row of a rule table. `proves` says, for people, why this evidence is enough. */
export interface Rule<E extends HarnessEvent = HarnessEvent> {
  readonly name: string;
  readonly proves: string;
  match(event: E, plan: Plan, observed: Observed): Finding | undefined;
}

export type Finding =
  | { stage: Stage; text: string }
  /** `ends` false: a remark, the boot may still recover. */
  | { failure: FailureRule; text: string; ends: boolean };
