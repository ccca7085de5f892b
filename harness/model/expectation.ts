import { RE2JS } from 're2js';
import { z } from 'zod';
import { expectableRuleSchema, isGeneric } from './failure-rules.ts';
import { serverFindingNames } from './server-findings.ts';
import { stageSchema } from './stages.ts';

const maxPatternLength = 200;
/** How much text a pattern is matched against: more than any rule keeps of a line. */
const maxTextLength = 400;

function complaintAbout(pattern: string): string | undefined {
  if (pattern === '') return 'expected a pattern, saw an empty one, which matches any text';
  if (pattern.length > maxPatternLength) return `expected a pattern of at most ${maxPatternLength} characters`;
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return `expected a regular expression in RE2's syntax (${(error as Error).message})`;
  }
}

/** JavaScript's flags as an RE2 prefix; `u`, `g` and `y` have no meaning there. */
function patternOf({ source, flags }: RegExp): string {
  const inline = flags.replace(/[^ims]/g, '');
  return inline === '' ? source : `(?${inline})${source}`;
}

/**
 * A regular expression to find anywhere in what a rule says: a string in JSON, or a RegExp in TypeScript. RE2 syntax,
 * because it matches in linear time and records with expectations may come from strangers.
 */
const saysSchema = z.union([z.string(), z.instanceof(RegExp).transform(patternOf)]).superRefine((pattern, context) => {
  const message = complaintAbout(pattern);
  if (message !== undefined) context.addIssue({ code: 'custom', message, input: pattern });
});

const givenFailureSchema = z.union([
  expectableRuleSchema,
  z.strictObject({ rule: expectableRuleSchema, says: saysSchema.optional() }),
]);

const expectedFailureSchema = z.strictObject({ rule: expectableRuleSchema, says: z.string().optional() });
/** A failure by the rule that recognises it and, where that is ambiguous, by what it says. */
export type ExpectedFailure = z.infer<typeof expectedFailureSchema>;

/** One, or a list of alternatives; always a list of objects once parsed. */
const failuresSchema = z
  .union([givenFailureSchema, z.array(givenFailureSchema).min(1)])
  .transform((given) => [given].flat().map((one) => (typeof one === 'string' ? { rule: one } : one)))
  .pipe(z.array(expectedFailureSchema));

/** What must be found about the user's server: a name, or a list of which all must be. */
const findingsSchema = z
  .union([z.enum(serverFindingNames), z.array(z.enum(serverFindingNames)).min(1)])
  .transform((given) => [given].flat())
  .pipe(z.array(z.enum(serverFindingNames)))
  .optional();

/**
 * What a cell is expected to do. `stopsAt` names the first stage of the path that is *not* reached, and `failure` what
 * must have ended the boot, or be the last thing that explains its end: a stop for any other reason does not count.
 */
export const expectationSchema = z.union([
  z.strictObject({ reaches: z.literal('last'), finding: findingsSchema }),
  z
    .strictObject({
      stopsAt: stageSchema,
      failure: failuresSchema,
      reason: z.string().min(1),
      finding: findingsSchema,
      reference: z.string().optional(),
      /** The last day (UTC) on which the stop is accepted: it is known, and is going to be solved. */
      until: z.iso.date().optional(),
    })
    .refine(({ until, reference }) => until === undefined || reference !== undefined, {
      path: ['until'],
      message: 'expected a reference next to until, which says what is being waited for',
    }),
  z.strictObject({ notApplicable: z.string().min(1) }),
]);
export type Expectation = z.output<typeof expectationSchema>;

/** Whether a failure is the expected one. */
export function isExpected({ rule, says }: ExpectedFailure, seen: { rule: string; text: string }): boolean {
  // An idle guest is one whose deadline would pass anyway, caught early.
  const rules: readonly string[] = rule === 'deadline' ? [rule, 'silent'] : [rule];
  if (!rules.includes(seen.rule)) return false;
  return says === undefined || RE2JS.compile(says).matcher(seen.text.slice(0, maxTextLength)).find();
}

/** Whether a day, as an ISO 8601 time, is later than the last one on which the expectation holds. */
export const isOverdue = (expected: Expectation, at: string): boolean =>
  'until' in expected && expected.until !== undefined && at.slice(0, 10) > expected.until;

/** Any failure of a whole family would match. */
export const isVague = ({ rule, says }: ExpectedFailure): boolean => isGeneric(rule) && says === undefined;

export function expectedFailureText({ rule, says }: ExpectedFailure): string {
  return says === undefined ? rule : `${rule} "${says}"`;
}

/** What is expected to be found about the user's server. */
export const expectedFindings = (expected: Expectation): readonly string[] =>
  ('finding' in expected ? expected.finding : undefined) ?? [];
