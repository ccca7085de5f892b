import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { type Stage, tokenOf } from '../model/stages.ts';
import type { Observed, Rule, RuleMatch } from './evidence.ts';

type SerialLine = Extract<HarnessEvent, { source: 'serial' }>;

/** The token must have a line to itself: it claims success, and a mere quotation must not. Its printer breaks lines. */
function tokenIn(text: string, plan: Plan, observed: Observed): RuleMatch | undefined {
  if (text.trim() !== tokenOf(plan.nonce)) return undefined;
  const last = plan.stagePath.at(-1);
  // The token proves the stage that prints it, and a bare NBP's running is that stage.
  return last && !observed.stages.has(last) ? { stage: last, text: text.trim() } : undefined;
}

type Payload = Plan['scenario']['payload'];

/** A fetch whose last acknowledgement may never leave the NIC, proven by the token of what was fetched. */
const fetched =
  (stage: Stage, payloads: readonly Payload[]): Rule<SerialLine>['match'] =>
  ({ text }, plan, observed) => {
    if (!payloads.includes(plan.scenario.payload) || observed.stages.has(stage)) return undefined;
    const token = tokenIn(text, plan, observed);
    return token && { ...token, stage };
  };

export const tokenRules: readonly Rule<SerialLine>[] = [
  {
    // GRUB and iPXE may start the kernel before their last acknowledgement has left the NIC.
    name: 'initrd-ran',
    proves: 'the token was printed from the initrd, which the kernel unpacks only if complete',
    match: fetched('payload-fetch', ['linux', 'installer']),
  },
  {
    // A machine that the NBP powers off at once may take EDK II's last acknowledgement with it.
    name: 'nbp-ran',
    proves: "the token was printed by the NBP, which has this run's nonce in it",
    match: fetched('nbp-fetch', ['probe']),
  },
  {
    name: 'token',
    proves: "the last program of the boot printed this run's nonce",
    match: (event, plan, observed) => tokenIn(event.text, plan, observed),
  },
];
