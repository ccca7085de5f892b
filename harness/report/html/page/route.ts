import type { Axis } from '../../../model/scenario.ts';

/** What the address after `#` names; every view of the page has one, so that it can be linked to. */
export type Route =
  | { view: 'overview'; filter: Filter }
  | { view: 'case'; id: string; attempt: number; tMs: number | null }
  | { view: 'comparison'; left: CaseRef; right: CaseRef };

export interface Filter {
  text: string;
  /** Values that pass; a name that is not here lets all pass. */
  values: ReadonlyMap<FilterName, ReadonlySet<string>>;
}
export type FilterName = Axis | 'outcome' | 'configuration' | 'group';

export interface CaseRef {
  id: string;
  /** From 1. */
  attempt: number;
}

export const noFilter: Filter = { text: '', values: new Map() };

const separator = '|';

function parseAttempt(text: string | null): number {
  const attempt = Number(text ?? '1');
  return Number.isInteger(attempt) && attempt >= 1 ? attempt : 1;
}

function parseFilter(fields: URLSearchParams, axes: readonly Axis[]): Filter {
  const values = new Map<FilterName, Set<string>>();
  for (const name of [...axes, 'outcome', 'configuration', 'group'] as const) {
    const value = fields.get(name);
    if (value) values.set(name, new Set(value.split(separator)));
  }
  return { text: fields.get('q') ?? '', values };
}

/** `#case=ID&attempt=2&t=3900`, `#compare=ID&attempt=1&with=ID&withAttempt=2`, or filters: `#status=failed&nic=e1000|pcnet&q=text`. */
export function parseRoute(hash: string, axes: readonly Axis[]): Route {
  const fields = new URLSearchParams(hash.replace(/^#/, ''));
  const id = fields.get('case');
  if (id !== null) {
    const tMs = Number(fields.get('t') ?? Number.NaN);
    return { view: 'case', id, attempt: parseAttempt(fields.get('attempt')), tMs: Number.isFinite(tMs) ? tMs : null };
  }
  const left = fields.get('compare');
  if (left !== null) {
    return {
      view: 'comparison',
      left: { id: left, attempt: parseAttempt(fields.get('attempt')) },
      right: { id: fields.get('with') ?? left, attempt: parseAttempt(fields.get('withAttempt')) },
    };
  }
  return { view: 'overview', filter: parseFilter(fields, axes) };
}

/** Ids stay readable in the address bar. */
function encode(fields: readonly (readonly [string, string])[]): string {
  const word = (text: string) => encodeURIComponent(text).replaceAll('%40', '@').replaceAll('%7C', '|');
  return `#${fields.map(([name, value]) => `${name}=${word(value)}`).join('&')}`;
}

export function caseHash(
  id: string,
  { attempt = 1, tMs = null }: { attempt?: number; tMs?: number | null } = {},
): string {
  return encode([
    ['case', id],
    ...(attempt === 1 ? [] : [['attempt', String(attempt)] as const]),
    ...(tMs === null ? [] : [['t', String(Math.round(tMs))] as const]),
  ]);
}

export function comparisonHash(left: CaseRef, right: CaseRef): string {
  return encode([
    ['compare', left.id],
    ['attempt', String(left.attempt)],
    ['with', right.id],
    ['withAttempt', String(right.attempt)],
  ]);
}

export function overviewHash({ text, values }: Filter): string {
  return encode([
    ...[...values].map(([name, set]) => [name, [...set].join(separator)] as const),
    ...(text === '' ? [] : [['q', text] as const]),
  ]);
}
