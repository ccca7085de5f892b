import { HarnessError } from '../model/errors.ts';
import { printable } from '../report/printable.ts';
import { type CliIo, writeLines } from './io.ts';

interface Comparison {
  source: string;
  differences: readonly string[];
  allowed: boolean;
  io: Pick<CliIo, 'stderr'>;
}

/**
 * The same case needs the same files, QEMU and arguments; otherwise it is another case.
 * @throws HarnessError `changed-input` if something differs and that was not allowed
 */
export function reportDifferences({ source, differences, allowed, io }: Comparison): void {
  if (differences.length === 0) return;
  const lines = differences.map((difference) => `  ${printable(difference)}`);
  if (allowed) {
    writeLines(io.stderr, ['warning: not the case that was run:', ...lines]);
    return;
  }
  throw new HarnessError('changed-input', [`${source}: this would not run what was run:`, ...lines].join('\n'), {
    hint: 'Restore what changed, or run it as it is now with --allow-changed.',
    details: { differences },
  });
}
