import type { HarnessEvent } from '../../model/events.ts';
import { expectedFindings } from '../../model/expectation.ts';
import { isOfWire } from '../../model/faults.ts';
import type { Plan } from '../../model/plan.ts';
import type { ProvisionerService } from '../../model/provisioner.ts';
import type { Scenario } from '../../model/scenario.ts';
import type { ServerFinding } from '../../model/server-findings.ts';
import { dhcpRules } from './dhcp-rules.ts';
import { exchangesIn } from './exchanges.ts';
import { relayRules } from './relay-rules.ts';
import { answersFamily, type Boot, type Seen, type ServerRule } from './rule.ts';
import { transferRules } from './transfer-rules.ts';

const rules: readonly ServerRule[] = [...dhcpRules, ...transferRules, ...relayRules];

/** The same thing again and again is one finding. */
const maxPerRule = 5;

function distinct(seen: readonly Seen[]): Seen[] {
  const byText = new Map(seen.map((one): [string, Seen] => [one.text, one]).reverse());
  return [...byText.values()].reverse().slice(0, maxPerRule);
}

/**
 * Why what was found about the server fails the case, if it does: what was expected of it is missing or, under
 * `strictServer`, there is more.
 */
export function complaintAboutServer(
  { expect, strictServer }: Pick<Scenario, 'expect' | 'strictServer'>,
  found: readonly ServerFinding[],
): string | undefined {
  const expected = expectedFindings(expect);
  const missing = expected.filter((name) => !found.some((one) => one.name === name));
  if (missing.length > 0) return `Not as expected of the server: ${missing.join(' and ')} was to be found`;
  if (strictServer === undefined) return undefined;
  const first = found.find(({ name, informational }) => informational === undefined && !expected.includes(name));
  return first && `The server is at fault: ${first.text} (${first.name}, ${first.section})`;
}

/**
 * What a server of the user's did wrong, by the frames alone. The harness's own servers are not looked at: a scenario says
 * what they do, and what they do wrong is asked of them. Nor is any server whose frames the network spoils on purpose.
 */
export function serverFindings(plan: Plan, events: readonly HarnessEvent[]): ServerFinding[] {
  const { provisioner } = plan.network;
  const isSpoilt = plan.scenario.faults?.some(isOfWire) ?? false;
  if (provisioner === undefined || isSpoilt) return [];
  const { relay } = provisioner;
  const served: readonly ProvisionerService[] = [
    ...provisioner.serves,
    ...(relay?.forward ?? []).map(({ service }) => service),
  ];
  const serves = (services: readonly ProvisionerService[]) => services.some((one) => served.includes(one));
  const exchanges = exchangesIn(events);
  const boot: Boot = {
    plan,
    events,
    exchanges,
    answered: exchanges.filter(({ family }) => answersFamily(plan.network, family)),
  };
  const found = rules
    .filter(({ about, notRelayed }) => serves(about) && !(notRelayed && relay !== undefined))
    .flatMap(({ name, section, remedy, informational, find }) =>
      distinct(find(boot)).map(
        (seen): ServerFinding => ({ name, ...seen, section, remedy, ...(informational && { informational }) }),
      ),
    );
  return found.sort((one, other) => one.atMs - other.atMs);
}
