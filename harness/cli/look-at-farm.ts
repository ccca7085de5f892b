import { askToDrain, type FarmOverview, lookAtFarm } from '../farm/overview.ts';
import { didYouMean } from '../model/did-you-mean.ts';
import { HarnessError } from '../model/errors.ts';
import { wholeSeconds } from '../model/time-text.ts';
import type { FarmOptions } from './farm-options.ts';
import { type CliIo, writeLines } from './io.ts';
import { joinFarm } from './join-farm.ts';
import { offerLines } from './offer-lines.ts';

export type FarmCommandOptions = FarmOptions & { farm: string };

const counted = (count: number, what: string): string =>
  `${count === 0 ? 'no' : count} ${what}${count === 1 ? '' : 's'}`;

function overviewLines({ workers, runs }: FarmOverview, nowMs: number): string[] {
  const running = (run: string) => workers.flatMap((worker) => worker.running.filter((one) => one.run === run)).length;
  return [
    counted(workers.length, 'worker'),
    ...workers.flatMap(({ offer, running: cells, draining, unfit }) => [
      ...offerLines(offer),
      ...(draining ? ['  draining'] : []),
      ...(unfit === undefined ? [] : [`  takes no cell for now: ${unfit}`]),
      ...cells.map(({ id, sinceMs }) => `  runs ${id} for ${wholeSeconds(Math.max(0, nowMs - sinceMs))}`),
    ]),
    counted(runs.length, 'run'),
    ...runs.map(
      ({ run: { run, submitter, matrix, priority }, waiting, stuck }) =>
        `${run}: ${matrix}, by ${submitter}, priority ${priority}: ${running(run)} running, ${waiting} waiting` +
        (stuck > 0 ? `, ${stuck} of them for a worker that can run them` : ''),
    ),
  ];
}

/** Prints what is on a farm. */
export async function showFarm(options: FarmCommandOptions, io: CliIo): Promise<void> {
  using farm = await joinFarm(options.farm, options, io);
  writeLines(io.stdout, overviewLines(await lookAtFarm(farm.redis, farm.sealing), Date.now()));
}

/** @throws HarnessError `usage` if there is no such worker */
export async function drainWorker(worker: string, options: FarmCommandOptions, io: CliIo): Promise<void> {
  using farm = await joinFarm(options.farm, options, io);
  const names = (await lookAtFarm(farm.redis, farm.sealing)).workers.map(({ offer }) => offer.worker);
  if (!names.includes(worker)) {
    throw new HarnessError('usage', `no worker ${worker} on this farm${didYouMean(worker, names)}`, {
      hint: names.length > 0 ? `There are ${names.join(', ')}.` : 'There are none.',
    });
  }
  await askToDrain(farm.redis, farm.sealing, worker);
  writeLines(io.stdout, [`${worker} is asked to drain; it ends once it has run the cells it has`]);
}
