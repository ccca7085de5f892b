import { canonicalJson } from '../model/canonical-json.ts';
import type { Axis, Scenario } from '../model/scenario.ts';
import type { CaseResult, RunResult } from '../model/verdict.ts';

/** One cell on both sides; each side has its repeats, none if it lacks the cell. */
export interface Pair {
  before: readonly CaseResult[];
  after: readonly CaseResult[];
}

/** Names of a cell, claims about it, and whether a template may start it; everything else is its identity. */
export const claims: readonly string[] = ['id', 'group', 'title', 'expect', 'configuration', 'cold'];

function identityOf(scenario: Scenario, without: readonly string[]): string {
  return canonicalJson(Object.fromEntries(Object.entries(scenario).filter(([key]) => !without.includes(key))));
}

/** Cells by identity; the group distinguishes those that are otherwise the same. */
function cellsOf(cases: readonly CaseResult[], ignored: readonly Axis[]): Map<string, CaseResult[]> {
  const without = [...claims, ...ignored];
  const groupsOf = new Map<string, Set<string>>();
  for (const { scenario } of cases) {
    const identity = identityOf(scenario, without);
    groupsOf.set(identity, (groupsOf.get(identity) ?? new Set()).add(scenario.group));
  }
  const cells = new Map<string, CaseResult[]>();
  for (const one of cases) {
    const identity = identityOf(one.scenario, without);
    const key = (groupsOf.get(identity)?.size ?? 0) > 1 ? `${one.scenario.group} ${identity}` : identity;
    cells.set(key, [...(cells.get(key) ?? []), one]);
  }
  return cells;
}

function pairUp(before: Map<string, CaseResult[]>, after: Map<string, CaseResult[]>): Pair[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].map((key) => ({ before: before.get(key) ?? [], after: after.get(key) ?? [] }));
}

/** Cells of two runs, joined by identity rather than by id; `ignored` axes do not count. */
export function joinRuns(before: RunResult, after: RunResult, ignored: readonly Axis[] = []): Pair[] {
  return pairUp(cellsOf(before.cases, ignored), cellsOf(after.cases, ignored));
}

/** Whether any of these cells is among the cases, by identity. */
export function haveCellInCommon(cases: readonly CaseResult[], cells: readonly Scenario[]): boolean {
  const known = new Set(cases.map(({ scenario }) => identityOf(scenario, claims)));
  return cells.some((cell) => known.has(identityOf(cell, claims)));
}

/** Cells of one run that differ in one axis only: `from` on the one side, `to` on the other. */
export function joinAxis(
  { cases }: RunResult,
  axis: Axis,
  [from, to]: readonly [string, string],
  textOf: (scenario: Scenario, axis: Axis) => string,
): Pair[] {
  const side = (value: string) =>
    cellsOf(
      cases.filter(({ scenario }) => textOf(scenario, axis) === value),
      [axis],
    );
  return pairUp(side(from), side(to)).filter(({ before, after }) => before.length > 0 && after.length > 0);
}
