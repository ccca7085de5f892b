import { HarnessError } from '../model/errors.ts';
import { expandMatrix } from './expand-matrix.ts';
import { explainIssues, explainUnknownKeys } from './explain-issues.ts';
import { type Matrix, matrixSchema } from './matrix.ts';

const shownProblems = 8;

/**
 * Validates a matrix completely: shape, defaults, ids and dead rules. `source` names it in errors
 * (`bad-matrix`), which say the path inside it, what was expected and what was seen.
 */
export function parseMatrix(value: unknown, source: string): Matrix {
  const parsed = matrixSchema.safeParse(value, { reportInput: true, error: explainUnknownKeys });
  if (!parsed.success) {
    const problems = explainIssues(parsed.error.issues);
    const lines = problems.slice(0, shownProblems).map((problem) => `${source}: ${problem}`);
    if (problems.length > shownProblems) lines.push(`… and ${problems.length - shownProblems} more`);
    throw new HarnessError('bad-matrix', lines.join('\n'), {
      hint: 'harness/matrix/README.md describes the format.',
      details: { source, problems },
    });
  }
  expandMatrix(parsed.data, source);
  return parsed.data;
}
