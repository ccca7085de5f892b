import type { HarnessEvent } from '../../model/events.ts';
import type { Network, Plan } from '../../model/plan.ts';
import type { ProvisionerService } from '../../model/provisioner.ts';
import type { ServerFindingName } from '../../model/server-findings.ts';
import type { Exchange } from './exchanges.ts';

/** What the rules about a server look at. */
export interface Boot {
  readonly plan: Plan;
  readonly events: readonly HarnessEvent[];
  /** Of all clients, no matter which server answers. */
  readonly exchanges: readonly Exchange[];
  /** Those of an address family for which the user's server says what to boot. */
  readonly answered: readonly Exchange[];
}

export interface Seen {
  readonly atMs: number;
  readonly text: string;
}

/** One row of the table of what servers do wrong. */
export interface ServerRule {
  readonly name: ServerFindingName;
  /** Services of which the user's server must have at least one for this to be its doing. */
  readonly about: readonly ProvisionerService[];
  readonly section: string;
  readonly remedy: string;
  readonly informational?: true;
  /** What is seen of a server that is asked through a relay agent is the agent's doing. */
  readonly notRelayed?: true;
  find(boot: Boot): Seen[];
}

/** The services that say what to boot. */
export const bootServices: readonly ProvisionerService[] = ['dhcp', 'proxydhcp', 'dhcpv6'];

/** Which of them say so over an address family. */
const bootServicesOf: Readonly<Record<4 | 6, readonly ProvisionerService[]>> = {
  4: ['dhcp', 'proxydhcp'],
  6: ['dhcpv6'],
};

/** Whether the user's server, and not the harness's, says what to boot over this address family. */
export const answersFamily = ({ provisioner }: Pick<Network, 'provisioner'>, family: 4 | 6): boolean =>
  bootServicesOf[family].some((service) => provisioner?.serves.includes(service));
