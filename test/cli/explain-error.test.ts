import { expect, it } from 'vitest';
import { explainError } from '../../harness/cli/explain-error.ts';
import { recordingIo } from './netboot.ts';

/** What the command line says of an error. */
function said(error: unknown): { exitCode: number; text: string } {
  const { io, written } = recordingIo();
  const exitCode = explainError(error, io, false);
  expect(written.out).toBe('');
  return { exitCode, text: written.err };
}

it('a lack of descriptors has its own remedy, and anything unforeseen is a bug', () => {
  const noDescriptor = Object.assign(new Error('EMFILE: too many open files, open x'), { code: 'EMFILE' });
  expect(said(noDescriptor)).toEqual({ exitCode: 3, text: expect.stringMatching(/EMFILE.*\nhint: .*ulimit -n/) });
  expect(said(new TypeError('x is not a function')).text).toContain('a bug in the harness');
});
