import { hostname } from 'node:os';
import { join } from 'node:path';
import { nameSchema } from '../farm/need.ts';
import { makeOffer } from '../farm/offer.ts';
import { serveFarm } from '../farm/worker.ts';
import { openWorkerFiles } from '../farm/worker-files.ts';
import { HarnessError } from '../model/errors.ts';
import { cacheFolder } from '../os/cache-folder.ts';
import { openArtefacts } from './artefacts.ts';
import type { FarmOptions } from './farm-options.ts';
import { type CliIo, writeLines } from './io.ts';
import { joinFarm } from './join-farm.ts';
import { offerLines } from './offer-lines.ts';
import { packageVersion } from './package-version.ts';

export interface WorkerOptions extends FarmOptions {
  farm: string;
  name?: string;
  label?: string[];
  set?: string[];
  jobs?: number;
  /** Disk space for fetched files, MiB. */
  cache: number;
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
    limitBytes: options.cache * (1 << 20),
    store: farm.store,
    fingerprints: host.fingerprints,
    own: await host.sets.files(),
  });
  await serveFarm({
    ...{ redis: farm.redis, sealing: farm.sealing, say: farm.say, offer, jobs: options.jobs, signal: io.signal },
    runner: { host, files, trust, store: farm.store },
  });
  await host.fingerprints.save();
}
