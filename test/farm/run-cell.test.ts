import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Cell } from '../../harness/farm/messages.ts';
import { type CellRunner, runCell, Unfit } from '../../harness/farm/run-cell.ts';
import { bios, cellsOf } from '../run/rig.ts';
import { tmpdirOfTest } from '../temporary-folder.ts';

let folder = '';
tmpdirOfTest((made) => {
  folder = made;
});

describe('the folder for temporary files', () => {
  const [scenario] = cellsOf({ name: 'a', ...bios, rom: 'none' });
  // Refused before anything else of the worker is asked for.
  const refused = {
    ...{ run: '0'.repeat(16), id: 'a', round: 1, accel: 'tcg', sharesStart: false, files: [], notAfter: 0 },
    carried: { scenario: { ...scenario, qemu: { x86_64: '/bin/true' } }, resolved: {} },
  } as unknown as Cell;
  const run = () =>
    runCell(refused, { host: {} } as CellRunner, { signal: new AbortController().signal, onProgress: () => {} });

  it('has nothing of a cell that is over', async () => {
    expect(await run()).toMatchObject({ status: 'not-run' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('makes a worker unfit where it is gone, and no longer once it is back', async () => {
    rmSync(folder, { recursive: true });
    await expect(run()).rejects.toThrow(Unfit);
    await expect(run()).rejects.toThrow('there is no folder for its records: ENOENT');
    mkdirSync(folder);
    expect(await run()).toMatchObject({ status: 'not-run' });
  });
});
