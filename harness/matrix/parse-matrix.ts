import { checkShape, problemLines } from '../model/check-shape.ts';
import { HarnessError } from '../model/errors.ts';
import { expandMatrix } from './expand-matrix.ts';
import { type Matrix, matrixSchema } from './matrix.ts';

/**
 * Validates a matrix completely: shape, defaults, ids and dead rules. `source` names it in errors
 * (`bad-matrix`), which give the path inside it, what was expected and what was seen.
 */
export function parseMatrix(value: unknown, source: string): Matrix {
  const checked = checkShape(matrixSchema, value);
  if ('problems' in checked) {
    const { problems } = checked;
    throw new HarnessError('bad-matrix', problemLines(source, problems), {
      hint: '`netboot schema matrix` prints the schema; harness/matrix/README.md in this package describes it.',
      details: { source, problems },
    });
  }
  expandMatrix(checked.value, source);
  return checked.value;
}
