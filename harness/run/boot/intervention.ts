import type { HarnessEvent } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import type { Guest } from '../../vm/qemu.ts';
import type { Faults } from '../../wire/faults/faults.ts';
import type { RunningNetwork } from './network.ts';

/** What an intervention can act on while a guest runs. */
interface Running {
  readonly guest: Guest;
  readonly network: Pick<RunningNetwork, 'stopServers'>;
}

/**
 * Something done on purpose to a running case, by a campaign that breaks boots to check that their verdicts notice. Only
 * code can supply one: neither a matrix nor the command line can.
 */
export interface Intervention {
  /** The plan to run, record and judge in place of the given one. */
  readonly plan: Plan;
  /** Before those of the scenario, on a frame's way. */
  readonly faults?: Faults;
  /** Called once, when guest and servers run. */
  begin?(running: Running): void;
  /** Called with every event of the case. */
  onEvent?(event: HarnessEvent): void;
}

/** `acted` records that something was done, as an event of the case. Called for every attempt. */
export type Intervene = (plan: Plan, acted: (what: string) => void) => Intervention | undefined;
