import type { Command } from 'commander';
import { HarnessError } from '../model/errors.ts';
import { parseCount } from './parse-count.ts';

/** How a farm is reached, by workers and by those who use them. */
export interface FarmOptions {
  farmKey?: string;
  insecure?: boolean;
  store?: string;
}

export interface FarmRunOptions extends FarmOptions {
  farm?: string;
  farmLabel?: string[];
  farmWait: number;
  priority: number;
}

const defaultWaitS = 60;

function parsePriority(value: string): number {
  const priority = Number(value);
  if (Number.isInteger(priority) && Math.abs(priority) <= 1000) return priority;
  throw new HarnessError('usage', `--priority ${value}: expected a whole number from -1000 to 1000`, {
    hint: 'Cells of runs with a higher one are taken first; 0 is usual.',
  });
}

export const farmFlag = '--farm <address>';
export const farmHelp = 'redis://HOST[:PORT], rediss:// or the path of a Unix socket';

export const addFarmOptions = (command: Command): Command =>
  command
    .option('--farm-key <file>', 'the key that cells and results are signed with; the same for all')
    .option('--insecure', 'without a key; on a loopback address or a Unix socket only')
    .option('--store <dir>', 'pass files on in this folder, which all machines see, instead of Redis');

export const addFarmRunOptions = (command: Command): Command =>
  addFarmOptions(command.option(farmFlag, `run the cases on the workers of a farm: ${farmHelp}`))
    .option('--farm-wait <seconds>', 'how long a case waits for a worker that can run it', parseCount, defaultWaitS)
    .option('--farm-label <names...>', 'only on workers with these labels')
    .option('--priority <n>', 'cases of runs with a higher one are taken first', parsePriority, 0);

/** Options that a run has on a farm, or here, but not both. */
export function refuseFarmChoices(
  options: FarmRunOptions & { jobs?: number | undefined; keepTemplates?: unknown },
): void {
  const { farm, farmKey, insecure, store, farmLabel, jobs, keepTemplates } = options;
  const onlyThere = { '--farm-key': farmKey, '--insecure': insecure, '--store': store, '--farm-label': farmLabel };
  const onlyHere = { '--jobs': jobs, '--keep-templates': keepTemplates };
  const given = (of: Record<string, unknown>) => Object.keys(of).find((name) => of[name] !== undefined);
  const [there, here] = [given(onlyThere), given(onlyHere)];
  if (farm === undefined && there !== undefined)
    throw new HarnessError('usage', `${there} needs --farm`, { hint: 'Say where the farm is: --farm redis://HOST.' });
  if (farm !== undefined && here !== undefined)
    throw new HarnessError('usage', `${here} and --farm: workers decide that, each for its machine`, {
      hint: `Leave it out, or give it to \`netboot worker\`.`,
    });
}
