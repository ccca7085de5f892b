import { axisText } from '../model/axis-text.ts';
import { type Axis, axisShape } from '../model/scenario.ts';
import type { CaseResult } from '../model/verdict.ts';
import { type InputChange, inputText } from './inputs.ts';
import { claims, type Pair } from './join.ts';

/** What some cells have in common. */
export interface CommonFacts {
  /** Such as `nic e1000`, `oprom ipxe-qemu 2.0.0`, `firmware-code ovmf 2022.11 → ovmf 2025.02`. */
  facts: string[];
  /** Cells that share all of them but did not change in this way; 0: exactly these cells. */
  others: number;
}

const axes = Object.keys(axisShape) as Axis[];

const changeText = ({ role, before, after }: InputChange): string => `${role} ${before ?? 'none'} → ${after ?? 'none'}`;

/** Settings that fit in a word or two, such as `randomSource false`; the rest is not what cells share by chance. */
const settingsOf = (scenario: CaseResult['scenario']): string[] =>
  Object.entries(scenario)
    .filter(
      ([name, value]) => !(axes as string[]).includes(name) && !claims.includes(name) && typeof value !== 'object',
    )
    .map(([name, value]) => `${name} ${value}`);

/** Everything about a cell that fits in a word or two. */
function factsOf({ before, after }: Pair, inputs: readonly InputChange[]): Set<string> {
  const { scenario, run } = (after[0] ?? before[0]) as CaseResult;
  return new Set([
    ...axes.map((axis) => `${axis} ${axisText(scenario, axis)}`),
    ...settingsOf(scenario),
    ...run.inputs.map((input) => `${input.role} ${inputText(input)}`),
    ...inputs.map(changeText),
  ]);
}

export interface FactedPair {
  pair: Pair;
  inputs: readonly InputChange[];
}

/**
 * What all of `changed` have and `unchanged` have not: one fact or, failing that, two that no unchanged cell combines;
 * else what the changed share and few others have. Undefined for a single cell, which shares everything with itself, and
 * where nothing sets the changed apart.
 */
export function commonFacts(changed: readonly FactedPair[], unchanged: readonly FactedPair[]): CommonFacts | undefined {
  if (changed.length < 2) return undefined;
  const [first, ...rest] = changed.map(({ pair, inputs }) => factsOf(pair, inputs)) as [Set<string>, ...Set<string>[]];
  const shared = [...first].filter((fact) => rest.every((facts) => facts.has(fact)));
  const others = unchanged.map(({ pair, inputs }) => factsOf(pair, inputs));
  const having = (...facts: string[]) => others.filter((one) => facts.every((fact) => one.has(fact))).length;
  const singles = shared
    .map((fact) => ({ facts: [fact], others: having(fact) }))
    .filter((one) => one.others < others.length);
  const exact = singles.filter((one) => one.others === 0);
  // If several facts would each do, list them all: counting cannot say which one is the cause.
  if (exact.length > 0) return { facts: exact.flatMap(({ facts }) => facts), others: 0 };
  const pairs = singles.flatMap(({ facts: [a] }, index) =>
    singles
      .slice(index + 1)
      .map(({ facts: [b] }) => ({ facts: [a, b] as string[], others: having(a as string, b as string) })),
  );
  const [best] = [...pairs, ...singles].sort((a, b) => a.others - b.others || a.facts.length - b.facts.length);
  return best !== undefined && best.others * 2 <= changed.length ? best : undefined;
}
