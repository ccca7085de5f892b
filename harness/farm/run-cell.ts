import { statSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import type { CaseResult } from '../model/verdict.ts';
import { openTemporaryFolder } from '../os/temporary-folder.ts';
import { packFolder } from '../os/write-zip.ts';
import { createAuthorities } from '../run/authorities.ts';
import { bundleLimits } from '../run/bundle/bundle-format.ts';
import { examineHost } from '../run/examine-host.ts';
import type { FoundCase } from '../run/found-case.ts';
import type { OpenedHost } from '../run/open-host.ts';
import { startOf } from '../run/prepare-cases.ts';
import { casesFolder } from '../run/records/run-directory.ts';
import { runCase } from '../run/run-case.ts';
import type { TemplateStore } from '../run/templates/template-store.ts';
import { createAccelChooser } from '../vm/acceleration.ts';
import type { Content, FileStore } from './file-store.ts';
import type { Cell, CellResult, Progress } from './messages.ts';
import { pathsOf } from './paths.ts';
import { placeCell, Refused } from './place-cell.ts';
import { areWhole } from './whole-records.ts';
import type { WorkerFiles } from './worker-files.ts';

/** The machine is not fit to run cells for now; another one may be. */
export class Unfit extends Error {}

export interface CellRunner {
  host: OpenedHost;
  files: WorkerFiles;
  store: FileStore;
  trust: boolean;
  /** This worker's own; undefined: every guest starts from power-on. */
  templates: TemplateStore | undefined;
}

export interface RunningCell {
  signal: AbortSignal;
  onProgress(progress: Progress): void;
}

/** The disk is full, or the user's quota of it. */
const noSpace = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');

/** The QEMU of a placed case, or why it cannot run here. */
async function qemuOf({ id, found }: { id: string; found: FoundCase }) {
  const { programs } = await examineHost([found.resolved.qemu]);
  const start = startOf({ found, scenario: found.scenario }, programs[0]);
  if ('obstacle' in start) throw new Refused(`${id}: ${start.obstacle}`);
  return start.qemu;
}

async function pack(outDir: string, directory: string, store: FileStore, host: OpenedHost): Promise<Content> {
  const bundle = join(outDir, 'bundle.zip');
  await packFolder(join(outDir, directory), bundle, bundleLimits);
  const { sha256 } = await host.fingerprints.of(bundle);
  const content = { sha256, bytes: statSync(bundle).size };
  await store.put(content, bundle).catch((error: Error) => {
    throw new Unfit(`its records cannot be sent: ${error.message}`);
  });
  return content;
}

type Outcome = CellResult['outcome'];

async function ranAt(
  { outDir, found, result }: { outDir: string; found: FoundCase; result: CaseResult },
  { store, host }: CellRunner,
): Promise<Outcome> {
  const { directory, accel, durationMs, guestCpuMs, savedCpuMs } = result.run;
  if (directory === null || accel === null) throw new Error('a case that ran has no records');
  return {
    bundle: await pack(outDir, directory, store, host),
    ...{ accel, durationMs, guestCpuMs },
    ...(savedCpuMs === undefined ? {} : { savedCpuMs }),
    paths: pathsOf(found),
  };
}

async function runIn(
  outDir: string,
  cell: Cell,
  runner: CellRunner,
  { signal, onProgress }: RunningCell,
): Promise<Outcome> {
  const { id, round, accel, carried, sharesStart } = cell;
  const { host, files, trust, templates } = runner;
  const bytesOf = new Map(cell.files.map(({ sha256, bytes }) => [sha256, bytes]));
  const found = await placeCell(carried, {
    sets: host.sets,
    fingerprints: host.fingerprints,
    trust,
    fileOf(sha256) {
      const bytes = bytesOf.get(sha256);
      if (bytes === undefined) throw new Refused('it names a file that it does not list');
      return files.path({ sha256, bytes });
    },
  });
  const directory = join(casesFolder, id);
  const result = await runCase({
    ...{ id, round, found, outDir, directory, signal },
    qemu: await qemuOf({ id, found }),
    accel: createAccelChooser({ choice: accel, cacheFile: host.accelCacheFile, signal }),
    fingerprints: host.fingerprints,
    authorities: createAuthorities(),
    setDirs: [],
    templates: sharesStart ? templates : undefined,
    onAttempt: (attempt) => onProgress({ id, attempt }),
    onStage: (stage, atMs) => onProgress({ id, stage, atMs }),
  });
  // Nobody would take its records from the store.
  signal.throwIfAborted();
  if (!areWhole(join(outDir, directory))) throw new Unfit(`${outDir} cannot be written`);
  return await ranAt({ outDir, found, result }, runner);
}

/**
 * Runs one cell and leaves its records in the store.
 * @throws Unfit if this machine's disk is full, it has no folder for temporary files, or the store does not take the records; the reason of `running.signal` once it aborted
 */
export async function runCell(cell: Cell, runner: CellRunner, running: RunningCell): Promise<Outcome> {
  // Each its own: one for the worker's life would be cleaned away as old (systemd-tmpfiles).
  const records = await openTemporaryFolder('netboot-cell-').catch((error: Error) => {
    throw new Unfit(`there is no folder for its records: ${error.message}`);
  });
  try {
    return await runIn(records.path, cell, runner, running);
  } catch (error) {
    if (error instanceof Unfit) throw error;
    if (noSpace(error) || noSpace((error as Error).cause)) throw new Unfit((error as Error).message);
    if (error instanceof Refused) return { status: 'not-run', reason: error.message };
    if (error instanceof HarnessError) return { status: 'error', reason: error.message };
    throw error;
  } finally {
    // What cannot be removed is no reason to lose a result.
    await records[Symbol.asyncDispose]().catch(() => {});
  }
}
