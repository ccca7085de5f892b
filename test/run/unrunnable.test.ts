import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Reporter } from '../../harness/model/reporter.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { bios, cellsOf, runCells } from './rig.ts';

const folder = folderOfFile();
let count = 0;

/** Cells that no host can run: such a run needs neither QEMU nor firmware. */
const cells = cellsOf({ name: 'one', ...bios, set: 'no-such-set' }, { name: 'two', ...bios, set: 'no-such-set' });
const run = (reporter: Reporter = {}) => runCells(join(folder, `run-${++count}`), cells, { reporter });

it('a case for want of its artefact set is not run, with the reason', async () => {
  const { cases } = await run();
  expect(cases).toHaveLength(2);
  for (const { verdict, run: taken } of cases) {
    expect(verdict).toMatchObject({ status: 'not-run', diagnosis: expect.stringContaining('no-such-set') });
    expect(taken).toMatchObject({ attempts: [], directory: null });
  }
});

describe('a reporter that throws', () => {
  const broken = new Error('the reporter is broken');

  it.each([
    ['at once', { onRunStart: () => Promise.reject(broken) }],
    [
      'after a case',
      {
        onCaseEnd: () => {
          throw broken;
        },
      },
    ],
    ['at the end', { onRunEnd: () => Promise.reject(broken) }],
  ])('%s ends the run with what it threw', async (_, reporter) => {
    await expect(run(reporter)).rejects.toBe(broken);
  });
});
