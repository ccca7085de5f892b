import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { BootVerdict, Verdict } from '../model/verdict.ts';

type BootPlan = NonNullable<Plan['boots']>[number];
type Judged = { name: string; verdict: Verdict };

const isStart = ({ source, type }: HarnessEvent): boolean => source === 'run' && type === 'started';

/** The events of each boot that was begun, each after the one that begins the log and dates it. */
export function eventsByBoot(events: readonly HarnessEvent[]): HarnessEvent[][] {
  const start = events.find(isStart);
  const boots: HarnessEvent[][] = [[]];
  for (const event of events) {
    if (event.type === 'power-cycled') boots.push(start === undefined ? [] : [start]);
    else boots.at(-1)?.push(event);
  }
  return boots;
}

const bootVerdictOf = ({ name, verdict }: Judged): BootVerdict => {
  const { status, stages, lastStage, stoppedAt, failure, diagnosis } = verdict;
  return { name, status, stages, lastStage, stoppedAt, failure, diagnosis };
};

/** All boots have to be as expected: the first that is not decides, or else the last. */
export function judgeBoots(
  plans: readonly BootPlan[],
  events: readonly HarnessEvent[],
  judgeBoot: (plan: Plan, events: readonly HarnessEvent[]) => Verdict,
): Verdict {
  const begun = eventsByBoot(events);
  const judged: Judged[] = plans
    .slice(0, begun.length)
    .map((plan, at) => ({ name: plan.name, verdict: judgeBoot(plan, begun[at] as HarnessEvent[]) }));
  const failed = judged.findIndex(({ verdict }) => verdict.status !== 'passed');
  const at = failed < 0 ? judged.length - 1 : failed;
  const { serverFindings: _, ...verdict } = (judged[at] as Judged).verdict;
  const server = judged.flatMap((boot) => boot.verdict.serverFindings ?? []);
  const titleOf = (place: number): string => `Boot ${place + 1} of ${plans.length} (${plans[place]?.name})`;
  const base: Verdict = {
    ...verdict,
    observedConfiguration: judged[0]?.verdict.observedConfiguration ?? null,
    findings: judged.flatMap((boot, place) => boot.verdict.findings.map((finding) => `${titleOf(place)}: ${finding}`)),
    ...(server.length > 0 && { serverFindings: server }),
    boots: judged.map(bootVerdictOf),
  };
  if (failed < 0 && judged.length < plans.length) {
    return { ...base, status: 'interrupted', diagnosis: `${titleOf(judged.length)} was not begun.` };
  }
  if (failed < 0) return base;
  return { ...base, diagnosis: `${titleOf(at)}: ${verdict.diagnosis ?? 'not as expected.'}` };
}
