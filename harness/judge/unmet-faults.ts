import type { HarnessEvent } from '../model/events.ts';
import type { Choice } from '../model/fault-choice.ts';
import type { Fault } from '../model/faults.ts';
import type { Plan } from '../model/plan.ts';
import { serverFaultActions } from '../model/server-faults.ts';
import type { Verdict } from '../model/verdict.ts';
import { type WireFault, wireFaultActions } from '../model/wire-faults.ts';
import { createObserver } from '../observe/observer.ts';
import { eventsByBoot } from './boots.ts';

/** One thing that a fault does. */
interface Act {
  fault: number;
  action: string;
  /** Frames or requests are picked at random: there may be none. */
  isByChance: boolean;
  text: string;
}

const actionsOf = (fault: Fault): string[] =>
  (fault.server === undefined ? wireFaultActions : serverFaultActions).filter((action) => action in fault);

/** Which frames or requests an action picks; undefined: all. */
function choiceOf(fault: Fault, action: string): Choice | undefined {
  if (fault.server !== undefined) return fault.of;
  const { drop, duplicate, reorder, corrupt, truncate, linkDownMs }: WireFault = fault;
  const choices: Readonly<Record<string, Choice | undefined>> = {
    ...{ drop, duplicate, reorder, corrupt, truncate: truncate?.of },
    linkDownMs: typeof linkDownMs === 'object' ? linkDownMs.of : undefined,
  };
  return choices[action];
}

const byDefault: Readonly<Record<string, string>> = { match: '{}', of: '1', seed: '1' };

/** As a matrix says it, without what is so by default. */
const textOf = (fault: Fault): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(fault).filter(([key, value]) => JSON.stringify(value) !== byDefault[key])),
  );

function actsOf(fault: Fault, index: number): Act[] {
  const actions = actionsOf(fault);
  return actions.map((action) => {
    const choice = choiceOf(fault, action);
    const isByChance = typeof choice === 'number' && choice < 1;
    const what = `${actions.length > 1 ? `the ${action} of ` : ''}fault ${index + 1}, ${textOf(fault)}`;
    return { fault: index, action, isByChance, text: `${isByChance ? 'by chance ' : ''}nothing met ${what}` };
  });
}

function metIn(events: readonly HarnessEvent[]): Set<string> {
  const met = events.flatMap((event) =>
    event.type === 'fault' && event.source !== 'run' ? [`${event.fault} ${event.action}`] : [],
  );
  return new Set(met);
}

/** A boot's events up to the one that decides it: whether anything meets a fault after that is a matter of chance. */
function beforeEnd(plan: Plan, events: readonly HarnessEvent[]): readonly HarnessEvent[] {
  const observer = createObserver(plan);
  const end = events.findIndex((event) => {
    observer.observe(event);
    return observer.complete || observer.ending !== undefined || (event.source === 'run' && event.type === 'ended');
  });
  return end < 0 ? events : events.slice(0, end);
}

function eventsThatCount(plan: Plan, events: readonly HarnessEvent[]): HarnessEvent[] {
  const { boots } = plan;
  if (boots === undefined) return [...beforeEnd(plan, events)];
  return eventsByBoot(events).flatMap((own, at) => beforeEnd(boots[at] ?? plan, own));
}

const isStopped = ({ stoppedAt, boots = [] }: Verdict): boolean =>
  stoppedAt !== null || boots.some((boot) => boot.stoppedAt !== null);

/**
 * A verdict, once it is known which faults of the scenario the guest met, in any of its boots. What was to go wrong and did
 * not was not put to the test, whatever the guest did: such a cell is never passed. It has failed, since its log shows all that
 * the guest did, and another attempt would do the same. What is left to chance may meet nothing, but then explains no stop.
 */
export function withUnmetFaults(plan: Plan, events: readonly HarnessEvent[], verdict: Verdict): Verdict {
  const acts = (plan.scenario.faults ?? []).flatMap(actsOf);
  if (acts.length === 0) return verdict;
  const met = metIn(eventsThatCount(plan, events));
  const unmet = acts.filter(({ fault, action }) => !met.has(`${fault} ${action}`));
  const { status, findings, diagnosis } = verdict;
  if (unmet.length === 0 || (status !== 'passed' && status !== 'failed')) return verdict;
  const isUntested =
    unmet.some(({ isByChance }) => !isByChance) || (isStopped(verdict) && unmet.length === acts.length);
  const texts = unmet.map(({ text }) => text);
  const said = `${isUntested ? 'Not put to the test' : 'Note'}: ${texts.join('; ')}.`;
  return {
    ...verdict,
    ...(isUntested && { status: 'failed' }),
    findings: [...findings, ...texts],
    diagnosis: diagnosis === null ? said : `${diagnosis} ${said}`,
  };
}
