import type { CaseSummary } from '../../report-data.ts';
import { outcomeOf } from '../outcome.ts';
import type { Filter, FilterName } from '../route.ts';

/** The configuration that a case counts for: what the matrix declares, or else what was seen. */
export const configurationOf = ({ declared, observed }: CaseSummary): string => String(declared ?? observed ?? 'none');

export function fieldOf(one: CaseSummary, name: FilterName): string {
  if (name === 'outcome') return outcomeOf(one);
  if (name === 'configuration') return configurationOf(one);
  return name === 'group' ? one.group : one.axes[name];
}

/** What free text is looked for in. */
const textOf = (one: CaseSummary): string =>
  [one.id, one.title, one.diagnosis, one.expected, one.rule, one.lastStage, one.stoppedAt, ...one.findings]
    .filter(Boolean)
    .join('\n')
    .toLowerCase();

/** Cases that have one of the chosen values of every name, and every word of the text. */
export function filterCases(cases: readonly CaseSummary[], { text, values }: Filter): CaseSummary[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return cases.filter((one) => {
    for (const [name, chosen] of values) if (!chosen.has(fieldOf(one, name))) return false;
    if (words.length === 0) return true;
    const all = textOf(one);
    return words.every((word) => all.includes(word));
  });
}
