import { hostname } from 'node:os';
import { join } from 'node:path';
import { nameSchema } from '../farm/need.ts';
import { makeOffer } from '../farm/offer.ts';
import { type CellRunner, runCell } from '../farm/run-cell.ts';
import { serveFarm } from '../farm/worker.ts';
import { openWorkerFiles } from '../farm/worker-files.ts';
import { HarnessError } from '../model/errors.ts';
import { cacheFolder } from '../os/cache-folder.ts';
import { openTemplateStore, type TemplateStore } from '../run/templates/template-store.ts';
import { type Artefacts, openArtefacts } from './artefacts.ts';
import type { FarmOptions } from './farm-options.ts';
import { type CliIo, writeLines } from './io.ts';
import { joinFarm } from './join-farm.ts';
import { offerLines } from './offer-lines.ts';
import { packageVersion } from './package-version.ts';

const mebibyte = 1 << 20;

export interface WorkerOptions extends FarmOptions {
  farm: string;
  name?: string;
  label?: string[];
  set?: string[];
  jobs?: number;
  /** Disk space for fetched files, MiB. */
  cache: number;
  /** Disk space for templates, MiB. */
  templates: number;
  cold?: boolean;
  trust?: boolean;
}

function refuseNames(option: string, names: readonly string[]): void {
  const odd = names.find((name) => !nameSchema.safeParse(name).success);
  if (odd === undefined) return;
  throw new HarnessError('usage', `${option} ${odd}: expected letters, digits, ".", "_" or "-"`, {
    hint: 'Choose a plain name.',
  });
}

const ownName = (): string =>
  `${hostname().replace(/[^A-Za-z0-9._-]/g, '-')}-${process.pid}`.replace(/^[^A-Za-z0-9]+/, '');

/** Kept from run to run: a worker sees one cell at a time, and not what else will come; so what most cells share. */
function templatesOf(
  { templates, cold }: WorkerOptions,
  { templatesFolder: folder }: Artefacts,
): TemplateStore | undefined {
  return cold
    ? undefined
    : openTemplateStore({ folder, limitBytes: templates * mebibyte, keep: true, latest: 'question' });
}

/** Runs cells for a farm until it is asked to drain, or interrupted. */
export async function serveAsWorker(options: WorkerOptions, io: CliIo): Promise<void> {
  const { name = ownName(), label = [], trust = false } = options;
  refuseNames('--name', [name]);
  refuseNames('--label', label);
  using farm = await joinFarm(options.farm, options, io);
  const host = await openArtefacts(options.set ?? [], io);
  const cacheDir = cacheFolder(io.env);
  const offer = await makeOffer({ worker: name, cacheDir, version: packageVersion(), host, labels: label, trust });
  writeLines(io.stdout, offerLines(offer));
  const files = await openWorkerFiles({
    folder: join(cacheDir, 'farm'),
    limitBytes: options.cache * mebibyte,
    store: farm.store,
    fingerprints: host.fingerprints,
    own: await host.sets.files(),
  });
  const templates = templatesOf(options, host);
  const runner: CellRunner = { host, files, trust, store: farm.store, templates };
  await serveFarm({
    ...{
      redis: farm.redis,
      sealing: farm.sealing,
      store: farm.store,
      say: farm.say,
      offer,
      jobs: options.jobs,
      signal: io.signal,
    },
    run: (cell, running) => runCell(cell, runner, running),
  });
  await host.fingerprints.save();
}
