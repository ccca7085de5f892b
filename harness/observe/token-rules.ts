import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { tokenOf } from '../model/stages.ts';
import type { Observed, Rule, RuleMatch } from './evidence.ts';

type SerialLine = Extract<HarnessEvent, { source: 'serial' }>;

/** The token must have a line to itself: it claims success, and a mere quotation must not. Its printer breaks lines. */
function tokenIn(text: string, plan: Plan, observed: Observed): RuleMatch | undefined {
  if (text.trim() !== tokenOf(plan.nonce)) return undefined;
  const last = plan.stagePath.at(-1);
  // The token proves the stage that prints it, and a bare NBP's running is that stage.
  return last && !observed.stages.has(last) ? { stage: last, text: text.trim() } : undefined;
}

const initrdPayloads: readonly Plan['scenario']['payload'][] = ['linux', 'installer'];

export const tokenRules: readonly Rule<SerialLine>[] = [
  {
    // GRUB and iPXE may start the kernel before their last acknowledgement has left the NIC.
    name: 'initrd-ran',
    proves: 'the token was printed from the initrd, which the kernel unpacks only if complete',
    match(event, plan, observed) {
      if (!initrdPayloads.includes(plan.scenario.payload) || observed.stages.has('payload-fetch')) return undefined;
      const token = tokenIn(event.text, plan, observed);
      return token && { ...token, stage: 'payload-fetch' };
    },
  },
  {
    name: 'token',
    proves: "the last program of the boot printed this run's nonce",
    match: (event, plan, observed) => tokenIn(event.text, plan, observed),
  },
];
