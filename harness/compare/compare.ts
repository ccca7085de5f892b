import type { CaseResult, RunResult } from '../model/verdict.ts';
import { type CommonFacts, commonFacts, type FactedPair } from './common-facts.ts';
import { type InputChange, inputChanges } from './inputs.ts';
import type { Pair } from './join.ts';
import { changeOf, type Outcome, outcomeOf } from './outcome.ts';
import { leastRatio, leastRepeats, type TimingChange, timingChange } from './timing.ts';

/** How a cell differs between two runs, worst first. */
export const changeClasses = [
  'no-longer-boots',
  'stops-earlier',
  'stops-elsewhere',
  'boots-now',
  'gets-further',
  'slower',
  'faster',
  'inputs-differ',
  'new',
  'gone',
  'not-comparable',
] as const;
export type ChangeClass = (typeof changeClasses)[number];

export const changeMeanings: Record<ChangeClass, string> = {
  'no-longer-boots': 'booted before, stops now',
  'stops-earlier': 'stops at an earlier stage than before',
  'stops-elsewhere': 'stops at the same stage for another reason',
  'boots-now': 'stopped before, boots now',
  'gets-further': 'stops at a later stage than before',
  slower: `the same outcome for ${leastRatio} times the guest CPU time or more`,
  faster: `the same outcome for 1/${leastRatio} of the guest CPU time or less`,
  'inputs-differ': 'the same outcome with other files',
  new: 'not in the old run',
  gone: 'not in the new run',
  'not-comparable': 'no outcome on one side',
};

/** Exit code 1 by default: what a user would call broken. */
export const failingClasses: readonly ChangeClass[] = ['no-longer-boots', 'stops-earlier', 'stops-elsewhere'];

export interface Change {
  class: ChangeClass;
  /** The cell's id in the new run, or in the old one if it is gone. */
  id: string;
  /** Its id in the old run, where it differs. */
  formerId?: string;
  before: Outcome | null;
  after: Outcome | null;
  inputs: InputChange[];
  /** Of the guest's CPU time. */
  timing?: TimingChange;
}

export interface Comparison {
  /** What is compared, such as two sets of one run; absent: with an earlier run. */
  sides?: [string, string];
  /** Cells on both sides. */
  joined: number;
  changes: Change[];
  /** What sets the cells of a class apart from all others. */
  common: Partial<Record<ChangeClass, CommonFacts>>;
  notes: string[];
}

/** The class of a pair; undefined where nothing differs. */
function classOf(change: Omit<Change, 'class' | 'id'>): ChangeClass | undefined {
  const { before, after, inputs, timing } = change;
  if (before === null) return 'new';
  if (after === null) return 'gone';
  // Unknown or varying on both sides: no difference can be shown.
  if (before.kind === 'unknown' && after.kind === 'unknown') return undefined;
  if (before.kind === 'unknown' || after.kind === 'unknown') return 'not-comparable';
  if ((before.kind === 'varies') !== (after.kind === 'varies')) return 'not-comparable';
  const outcome = changeOf(before, after);
  if (outcome !== undefined) return outcome;
  if (timing !== undefined) return timing.afterMs > timing.beforeMs ? 'slower' : 'faster';
  return inputs.length > 0 ? 'inputs-differ' : undefined;
}

function changeOfPair({ before, after }: Pair, inputs: InputChange[]): Change | undefined {
  const [old, now] = [before[0], after[0]];
  const timing = timingChange(before, after);
  const rest = {
    before: old ? outcomeOf(before) : null,
    after: now ? outcomeOf(after) : null,
    inputs: old && now ? inputs : [],
    ...(timing && { timing }),
  };
  const changed = classOf(rest);
  const { scenario } = (now ?? old) as CaseResult;
  if (changed === undefined) return undefined;
  const formerId = old && now && old.scenario.id !== scenario.id ? { formerId: old.scenario.id } : {};
  return { class: changed, id: scenario.id, ...formerId, ...rest };
}

/** Compares what guests did on both sides of each pair, regardless of expectations. Pure. */
export function comparePairs(pairs: readonly Pair[]): Comparison {
  const judged = pairs.map((pair) => {
    const inputs = inputChanges(pair.before, pair.after);
    return { pair, inputs, change: changeOfPair(pair, inputs) };
  });
  const of = (wanted: ChangeClass): FactedPair[] => judged.filter(({ change }) => change?.class === wanted);
  const common = changeClasses.flatMap((name) => {
    const others = judged.filter(({ change }) => change?.class !== name);
    const facts = commonFacts(of(name), others);
    return facts === undefined ? [] : [[name, facts] as const];
  });
  const changes = judged.flatMap(({ change }) => change ?? []);
  const order = ({ class: name, id }: Change) => `${String(changeClasses.indexOf(name)).padStart(2)} ${id}`;
  const both = pairs.filter(({ before, after }) => before.length > 0 && after.length > 0);
  const untimed =
    both.length > 0 && both.every(({ before, after }) => Math.min(before.length, after.length) < leastRepeats);
  return {
    joined: both.length,
    changes: changes.sort((a, b) => (order(a) < order(b) ? -1 : 1)),
    common: Object.fromEntries(common),
    notes: untimed ? [`times were not compared: that takes --repeat ${leastRepeats} on both sides`] : [],
  };
}

export function compareRunFacts(before: RunResult, after: RunResult): string[] {
  const programs = [...new Set([...Object.keys(before.host.qemu), ...Object.keys(after.host.qemu)])];
  return programs.flatMap((name) => {
    const [a, b] = [before.host.qemu[name], after.host.qemu[name]];
    return a === undefined || b === undefined || a === b ? [] : [`${name}: ${a} → ${b}`];
  });
}
