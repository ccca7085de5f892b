import type { AddCommand } from '../command.ts';
import { addFarmOptions, farmFlag, farmHelp } from '../farm-options.ts';
import type { FarmCommandOptions } from '../look-at-farm.ts';

/** Loaded only when it is used, so that no other command loads the farm. */
const look = () => import('../look-at-farm.ts');

export const farmCommand: AddCommand = (program, io) => {
  const command = program
    .command('farm')
    .description('What is on a farm: its workers, what each runs, and what waits.');
  addFarmOptions(command.command('show', { isDefault: true }).requiredOption(farmFlag, farmHelp))
    .description('workers, what each runs and for how long, and the runs that wait')
    .action(async (options: FarmCommandOptions) => (await look()).showFarm(options, io));
  addFarmOptions(command.command('drain').requiredOption(farmFlag, farmHelp))
    .description('ask a worker to take no more cells, and to end once it has run those it has')
    .argument('<worker>', 'its name')
    .action(async (worker: string, options: FarmCommandOptions) => (await look()).drainWorker(worker, options, io));
};
