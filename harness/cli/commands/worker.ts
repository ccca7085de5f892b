import { defaultTemplatesMiB } from '../../run/templates/template-store.ts';
import type { AddCommand } from '../command.ts';
import { addFarmOptions, farmFlag, farmHelp } from '../farm-options.ts';
import { parseCount } from '../parse-count.ts';
import type { WorkerOptions } from '../serve-as-worker.ts';
import { trustFlag, trustHelp } from '../trust.ts';

const defaultCacheMiB = 4096;

export const workerCommand: AddCommand = (program, io, end) => {
  addFarmOptions(program.command('worker').requiredOption(farmFlag, farmHelp))
    .description('Run cases for a farm, as this machine has room for them.')
    .option('--name <name>', 'what it is called (default: the host and the process)')
    .option('--label <names...>', 'labels of your own, for --farm-label')
    .option('--set <sets...>', 'sets whose files need not be fetched')
    .option('--jobs <n>', 'guests at once (default: as many as the host can carry)', parseCount)
    .option('--cache <MiB>', 'disk space for fetched files', parseCount, defaultCacheMiB)
    .option('--templates <MiB>', 'disk space for templates that guests start from', parseCount, defaultTemplatesMiB)
    .option('--cold', 'start every guest from power-on, never from a template')
    .option(trustFlag, trustHelp)
    .addHelpText(
      'after',
      `
It takes cells until it is interrupted, which puts those in progress back for other workers, or until
\`netboot farm drain NAME\`, which lets it finish them.

Examples:
  umask 077; head -c 32 /dev/urandom > farm.key   once; every machine gets a copy
  netboot worker --farm redis://HOST --farm-key farm.key
  netboot worker --farm /run/redis.sock --insecure --jobs 2`,
    )
    .action(async (options: WorkerOptions) => {
      // Here, so that no other command loads the farm.
      const { serveAsWorker } = await import('../serve-as-worker.ts');
      await serveAsWorker(options, io);
      end(io.signal.aborted ? 130 : 0);
    });
};
