import type { z } from 'zod';
import { didYouMean } from './did-you-mean.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

const kindNames: Record<string, string> = {
  array: 'a list',
  object: 'an object',
  record: 'an object',
  string: 'a text',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
};

function pathText(path: Path): string {
  const text = path
    .map((key) =>
      typeof key === 'number' ? `[${key}]` : /^[\w-]+$/.test(String(key)) ? `.${String(key)}` : `["${String(key)}"]`,
    )
    .join('');
  return text.replace(/^\./, '');
}

function sawText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (value instanceof RegExp || value instanceof Date) return `a ${value.constructor.name}`;
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    return 'a value that is not JSON';
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A union branch of the wrong kind altogether has nothing useful to say about what is wrong inside. */
function isWrongKind(branch: readonly Issue[]): boolean {
  const first = branch[0];
  if (!first || first.path.length > 0) return false;
  if (first.code === 'invalid_union') return first.errors.every(isWrongKind);
  return first.code === 'invalid_type' || first.code === 'invalid_value';
}

function weight(branch: readonly Issue[]): number {
  return branch.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1), 0);
}

interface Alternatives {
  values: string[];
  kinds: string[];
}

function alternativesOf(issue: Issue): Alternatives {
  if (issue.code === 'invalid_value') return { values: issue.values.map(String), kinds: [] };
  if (issue.code === 'invalid_type') return { values: [], kinds: [kindNames[issue.expected] ?? issue.expected] };
  if (issue.code !== 'invalid_union') return { values: [], kinds: [] };
  const all = issue.errors.flatMap((branch) => branch.slice(0, 1)).map(alternativesOf);
  return {
    values: [...new Set(all.flatMap(({ values }) => values))],
    kinds: [...new Set(all.flatMap(({ kinds }) => kinds))],
  };
}

function mismatch(issue: Issue): string {
  const { values, kinds } = alternativesOf(issue);
  const oneOf = values.length > 1 ? `one of ${values.join(', ')}` : values[0];
  const expected = [...(oneOf === undefined ? [] : [oneOf]), ...kinds].join(', or ') || 'something else';
  return `expected ${expected}, saw ${sawText(issue.input)}${didYouMean(issue.input, values)}`;
}

function explain(issue: Issue, base: Path): string[] {
  const path = [...base, ...issue.path];
  const say = (text: string) => [path.length > 0 ? `${pathText(path)}: ${text}` : text];
  if (issue.code === 'invalid_union' && issue.errors.length === 0) return say(issue.message);
  if (issue.code === 'invalid_union') {
    const inside = issue.errors.filter((branch) => !isWrongKind(branch)).sort((a, b) => weight(a) - weight(b))[0];
    return inside ? inside.flatMap((one) => explain(one, path)) : say(mismatch(issue));
  }
  if (issue.code === 'invalid_type' || issue.code === 'invalid_value') return say(mismatch(issue));
  if (issue.code === 'unrecognized_keys') return say(issue.message);
  if (issue.code === 'invalid_key') return issue.issues.flatMap((inner) => explain(inner, path));
  if (issue.code === 'too_small' && issue.origin === 'array') return say('expected a non-empty list, saw []');
  if (issue.code === 'too_small' && issue.origin === 'string') return say('expected a text, saw an empty one');
  if (issue.code === 'invalid_format' || issue.code === 'custom')
    return say(`${issue.message}; saw ${sawText(issue.input)}`);
  return say(`${issue.message}, saw ${sawText(issue.input)}`);
}

/** No member of a discriminated union has this discriminator: lists the values there are. */
function noSuchMember(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string | undefined {
  const { discriminator, inst, input } = issue;
  if (discriminator === undefined || typeof input !== 'object' || input === null) return undefined;
  const union = inst as z.ZodType | undefined;
  const values = [...(union?._zod.propValues?.[discriminator] ?? [])].map(String);
  const saw = (input as Record<string, unknown>)[discriminator];
  return `expected one of ${values.join(', ')}, saw ${sawText(saw)}${didYouMean(saw, values)}`;
}

/** zod's messages do not list the valid keys or members; its raw issues do. */
const explainWithChoices: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'invalid_union') return noSuchMember(issue as z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>);
  if (issue.code !== 'unrecognized_keys') return undefined;
  const known = Object.keys((issue.inst as z.ZodObject | undefined)?.shape ?? {});
  return issue.keys.map((key) => `unknown key "${key}"${didYouMean(key, known)}`).join(', ');
};

export type Checked<T> = { readonly value: T } | { readonly problems: readonly string[] };

/**
 * The parsed value, or what is wrong with it: one text per problem, prefixed with its path, such as
 * `groups[2].nic[0]: expected …, saw …`.
 */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const parsed = schema.safeParse(value, { reportInput: true, error: explainWithChoices });
  if (parsed.success) return { value: parsed.data };
  return { problems: parsed.error.issues.flatMap((issue) => explain(issue, [])) };
}

const shownProblems = 8;

/** The first problems, one per line, and how many more there are. `source` names the file or whatever they are in. */
export function problemLines(source: string, problems: readonly string[]): string {
  const more = problems.length - shownProblems;
  const lines = problems.slice(0, shownProblems).map((problem) => `${source}: ${problem}`);
  return [...lines, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n');
}
