import { expect } from 'vitest';
import { createBudget } from '../../harness/assets/inspect/budget.ts';
import { describeInspection, identityOf } from '../../harness/assets/inspect/describe.ts';
import { inspectBytes } from '../../harness/assets/inspect/inspect.ts';

const mebibyte = 1 << 20;
export const smallBudget = () => createBudget({ decompressedBytes: 24 * mebibyte, visits: 20_000 });

/** Whatever the bytes, there is an answer, and its text is safe for a terminal. */
export function expectAnswer(bytes: Buffer): void {
  const result = inspectBytes(bytes, smallBudget());
  const text = [...describeInspection(result), identityOf(result)];
  expect(text.length).toBeGreaterThan(1);
  for (const line of text) expect(line).toMatch(/^[\x20-\x7e…]*$/);
}
