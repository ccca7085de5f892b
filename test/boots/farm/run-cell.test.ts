import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { carry } from '../../../harness/farm/carried.ts';
import { type FileStore, openFolderStore } from '../../../harness/farm/file-store.ts';
import type { Cell } from '../../../harness/farm/messages.ts';
import { openRedisStore } from '../../../harness/farm/redis-store.ts';
import { type RunningCell, runCell, Unfit } from '../../../harness/farm/run-cell.ts';
import { openWorkerFiles } from '../../../harness/farm/worker-files.ts';
import { cacheFolder } from '../../../harness/os/cache-folder.ts';
import { findCase } from '../../../harness/run/found-case.ts';
import { openHostWithSets } from '../../../harness/run/open-host.ts';
import { cellsOf } from '../../run/rig.ts';
import { folderOfTest } from '../../temporary-folder.ts';
import { quick } from './on-farm.ts';
import { startRedis } from './redis.ts';

let folder = '';
folderOfTest((made) => {
  folder = made;
  mkdirSync(join(folder, 'store'));
});

/** Runs a cell as a worker does, with records in this store. */
async function run(store: FileStore, running: Partial<RunningCell> = {}) {
  const host = await openHostWithSets([], { cacheDir: cacheFolder(process.env), env: process.env });
  const [scenario] = cellsOf(quick('a'));
  if (scenario === undefined) throw new Error('the matrix has no cell');
  const found = await findCase(scenario, host);
  if ('missing' in found) throw new Error(found.missing);
  const carried = await carry(found, host);
  if ('obstacle' in carried) throw new Error(carried.obstacle);
  const cell: Cell = {
    ...{ run: '0'.repeat(16), id: scenario.id, round: 1, accel: 'tcg', sharesStart: false, notAfter: 0 },
    carried: carried.carried,
    files: carried.files.map(({ sha256, bytes }) => ({ sha256, bytes })),
  };
  const { fingerprints } = host;
  const own = await host.sets.files();
  const cache = { folder: join(folder, 'cache'), limitBytes: 1 << 30, store, fingerprints, own };
  const runner = { host, files: await openWorkerFiles(cache), store, trust: true, templates: undefined };
  return runCell(cell, runner, { signal: new AbortController().signal, onProgress: () => {}, ...running });
}

it('leaves the records in the store', async () => {
  expect(await run(openFolderStore(join(folder, 'store')))).toMatchObject({ bundle: {}, accel: 'tcg' });
});

it('is put back where Redis is full when the records are sent', async () => {
  await using server = await startRedis(folder, { args: ['--maxmemory', '1'] });
  // It would wait for room for half a minute.
  const stopped = { say: () => {}, signal: AbortSignal.abort() };
  const ran = run(openRedisStore(await server.connect(), stopped));
  await expect(ran).rejects.toThrow(Unfit);
  await expect(ran).rejects.toThrow("its records cannot be sent: the farm's Redis is full");
});

it('leaves nothing in the store once nobody wants its records', async () => {
  const stop = new AbortController();
  const store = openFolderStore(join(folder, 'store'));
  await expect(run(store, { signal: stop.signal, onProgress: () => stop.abort() })).rejects.toThrow('aborted');
  expect(readdirSync(join(folder, 'store'))).toEqual([]);
});
