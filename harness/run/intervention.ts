import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Guest } from '../vm/qemu.ts';
import type { Faults } from '../wire/faults.ts';
import type { RunningNetwork } from './network.ts';

/** What an intervention can lay hands on while a guest runs. */
interface Running {
  readonly guest: Guest;
  readonly network: Pick<RunningNetwork, 'stopServers'>;
}

/**
 * Something done on purpose to a case while it runs, by a campaign that breaks boots to see whether their verdicts
 * notice. It comes from code alone: neither a matrix nor the command line can name one.
 */
export interface Intervention {
  /** What is run, recorded and judged in place of the plan given. */
  readonly plan: Plan;
  readonly faults?: Faults;
  /** Called once, when guest and servers run. */
  begin?(running: Running): void;
  /** Called with every event of the case. */
  onEvent?(event: HarnessEvent): void;
}

/** `acted` records that something was done, as an event of the case. Called anew for every attempt. */
export type Intervene = (plan: Plan, acted: (what: string) => void) => Intervention | undefined;
