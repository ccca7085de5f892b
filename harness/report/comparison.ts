import { type Change, type ChangeClass, type Comparison, changeClasses, changeMeanings } from '../compare/compare.ts';
import { outcomeText } from '../compare/outcome.ts';
import { seconds } from '../model/time-text.ts';
import type { RunResult } from '../model/verdict.ts';
import { code, inline, table } from './markdown.ts';
import { clip, printable } from './printable.ts';

/** What a finished run is compared with: a baseline, or one of its sets with another. */
export interface Compare {
  of(result: RunResult): Comparison[];
  /** Changes, not expectations, decide whether the run is good. */
  decides: boolean;
}

/** Classes for which a count and common facts say more than a list of cells. */
const countedOnly: readonly ChangeClass[] = ['inputs-differ', 'new', 'gone'];
const shown = 40;

const byClass = ({ changes }: Comparison) =>
  changeClasses.flatMap((name) => {
    const own = changes.filter((change) => change.class === name);
    return own.length === 0 ? [] : [{ name, own }];
  });

/** What happened to one cell, in a line. */
export function changeText({ class: name, before, after, timing }: Change): string {
  if (timing && (name === 'slower' || name === 'faster'))
    return `guest CPU ${seconds(timing.beforeMs)} → ${seconds(timing.afterMs)}`;
  const [old, now] = [before, after].map((outcome) => (outcome === null ? 'not there' : outcomeText(outcome)));
  return old === now ? `${now}` : `${old} → ${now}`;
}

export function commonText({ common, changes }: Comparison, name: ChangeClass): string | undefined {
  const found = common[name];
  if (found === undefined) return undefined;
  const count = changes.filter((change) => change.class === name).length;
  const many = count === 2 ? 'both' : `all ${count}`;
  const facts = found.facts.join(found.others === 0 && found.facts.length > 2 ? '; ' : ' and ');
  return found.others === 0
    ? `${many}, and no other cell, have ${facts}`
    : `${many} have ${facts}; so do ${found.others} others`;
}

/** Which file replaced which, once each, and for how many cells. */
function inputCounts(changes: readonly Change[]): string[] {
  const counts = new Map<string, number>();
  for (const { inputs } of changes) {
    for (const text of new Set(
      inputs.map(({ role, before, after }) => `${role}: ${before ?? 'none'} → ${after ?? 'none'}`),
    ))
      counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([text, count]) => `${count} × ${text}`);
}

const changedOutcomes = (comparison: Comparison): string => {
  const counts = byClass(comparison).map(({ name, own }) => `${own.length} ${name}`);
  return `${comparison.joined} cells compared: ${counts.length > 0 ? counts.join(', ') : 'no difference'}`;
};

/** `what changed`, or between what. */
export const comparisonTitle = ({ sides }: Comparison): string =>
  sides === undefined ? 'What changed' : `What differs: ${sides.join(' → ')}`;

/** For a terminal. */
export function comparisonLines(comparison: Comparison): string[] {
  const sections = byClass(comparison).flatMap(({ name, own }) => {
    const common = commonText(comparison, name);
    const head = [`${name} (${changeMeanings[name]}): ${own.length}`, ...(common ? [`  ${printable(common)}`] : [])];
    if (countedOnly.includes(name)) {
      const counted = name === 'inputs-differ' ? inputCounts(own) : [];
      return [...head, ...counted.slice(0, shown).map((line) => `  ${clip(printable(line), 300)}`), ''];
    }
    const more = own.length > shown ? [`  … and ${own.length - shown} more`] : [];
    return [
      ...head,
      ...own.slice(0, shown).flatMap((change) => [`  ${change.id}`, `    ${clip(printable(changeText(change)), 400)}`]),
      ...more,
      '',
    ];
  });
  return [
    ...(comparison.sides ? [printable(comparisonTitle(comparison))] : []),
    ...sections,
    ...comparison.notes.map((note) => `note: ${printable(note)}`),
    changedOutcomes(comparison),
  ];
}

/** For a job summary or a pull request. */
export function comparisonMarkdown(comparison: Comparison): string {
  const sections = byClass(comparison).flatMap(({ name, own }) => {
    const common = commonText(comparison, name);
    const head = [
      `### ${own.length} ${name}`,
      '',
      `${changeMeanings[name]}${common ? `. **${inline(common, 1000)}.**` : ''}`,
      '',
    ];
    if (countedOnly.includes(name)) {
      const counted =
        name === 'inputs-differ' ? inputCounts(own).slice(0, shown) : own.slice(0, shown).map(({ id }) => id);
      return [...head, ...counted.map((line) => `- ${inline(line)}`), ''];
    }
    const rows = own.slice(0, 200).map((change) => [code(change.id), inline(changeText(change))]);
    return [...head, ...table(['cell', 'before → after'], rows), ''];
  });
  return [
    `## ${inline(comparisonTitle(comparison))}`,
    '',
    `**${changedOutcomes(comparison)}**`,
    '',
    ...sections,
    ...comparison.notes.map((note) => `Note: ${inline(note)}.`),
  ].join('\n');
}
