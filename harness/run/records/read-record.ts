import type { z } from 'zod';
import { checkShape } from '../../model/check-shape.ts';
import { HarnessError, systemErrorText } from '../../model/errors.ts';
import { parseBoundedJson, readBoundedText, recordMaxDepth } from '../../os/bounded-file.ts';

/** Far more than any run writes: records are untrusted. */
const recordMaxBytes = 64 << 20;

export const badRun = (path: string, what: string, cause?: unknown): HarnessError =>
  new HarnessError('bad-run-directory', `${path}: ${what}`, {
    hint: 'Name a directory that `netboot run --out` wrote; --help says what else the command takes.',
    details: { path },
    cause,
  });

export const unexpected = (path: string, problem: string | undefined): HarnessError =>
  badRun(path, `unexpected content: ${problem}`);

/** What `read` returns; its failure is one of the path's. */
export function orRefused<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof SyntaxError) throw badRun(path, 'it is not JSON, or is truncated', cause);
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw badRun(path, 'there is no such file or directory', cause);
    throw badRun(path, `it cannot be read: ${systemErrorText(cause as Error)}`, cause);
  }
}

/**
 * A record of a run, checked before use.
 * @throws HarnessError `bad-run-directory` if it cannot be read or does not match
 */
export function readRecord<T>(path: string, schema: z.ZodType<T>, maxBytes = recordMaxBytes): T {
  const raw = orRefused(path, () => parseBoundedJson(readBoundedText(path, maxBytes), recordMaxDepth));
  const checked = checkShape(schema, raw);
  if ('value' in checked) return checked.value;
  throw unexpected(path, checked.problems[0]);
}
