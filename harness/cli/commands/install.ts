import { describePlan, type InstallPlan, makeSets, planInstall, recipesKey } from '../../install/install.ts';
import { explainMissing, installPackages } from '../../install/install-packages.ts';
import { setRecipes } from '../../install/set-recipes.ts';
import { missingOf, packagesHere } from '../../install/system-packages.ts';
import { cacheFolder } from '../../os/cache-folder.ts';
import type { AddCommand } from '../command.ts';
import { type CliIo, writeLines } from '../io.ts';

interface InstallOptions {
  withDeps?: boolean;
  dryRun?: boolean;
  refresh?: boolean;
  mirror?: string;
  allowExpired?: boolean;
  printCacheKey?: boolean;
}

/** What is still missing on the machine is not this command's failure unless it was asked to install it. */
function reportMissing({ machine }: InstallPlan, io: CliIo): void {
  const missing = missingOf(packagesHere(), machine);
  if (missing.length === 0) return;
  const remedy = machine.hasApt ? '; as root, --with-deps installs the rest' : '';
  writeLines(io.stderr, ['', `The sets are not all that boots need${remedy}.`, ...explainMissing(missing, machine)]);
}

export const installCommand: AddCommand = (program, io, end) => {
  program
    .command('install')
    .description(
      'Fetch the firmware, ROMs and loaders of the default matrix into the cache: packages of Debian, unpacked.',
    )
    .argument(
      '[sets...]',
      `which: ${setRecipes.map(({ name }) => name).join(', ')}; all that this machine can use if none`,
    )
    .option(
      '--with-deps',
      'also install QEMU and firmware on this machine: with apt as root, else the commands are printed',
    )
    .option('--dry-run', 'only print what would be done')
    .option('--refresh', 'fetch again what is there')
    .option('--mirror <url>', 'take packages from this Debian mirror, without apt (or NETBOOT_DEBIAN_MIRROR)')
    .option('--allow-expired', 'accept a mirror whose signed index has expired, such as a snapshot of the archive')
    .option('--print-cache-key', 'only print a key that changes with what would be fetched, for CI caches')
    .addHelpText(
      'after',
      `
The cache is $NETBOOT_CACHE, or $XDG_CACHE_HOME/netboot-harness. Without apt every file is verified from the signature of
the Debian archive down to its hash.

Examples:
  netboot install --with-deps                        on Debian, in a container
  netboot install --mirror https://deb.debian.org/debian   on any other system
  netboot install bookworm --dry-run`,
    )
    .action(async (names: string[], options: InstallOptions) => {
      const { mirror = io.env.NETBOOT_DEBIAN_MIRROR || undefined, withDeps = false } = options;
      if (options.printCacheKey) return writeLines(io.stdout, [recipesKey()]);
      const { signal, env } = io;
      const say = (line: string) => writeLines(io.stderr, [line]);
      const request = {
        cacheDir: cacheFolder(env),
        names,
        refresh: options.refresh ?? false,
        mirror,
        allowExpired: options.allowExpired ?? false,
        packages: packagesHere(),
        env,
        signal,
      };
      const plan = await planInstall(request);
      if (options.dryRun) return writeLines(io.stdout, describePlan(plan));
      if (withDeps) await installPackages(packagesHere(), { machine: plan.machine, say, signal });
      const failed = await makeSets(withDeps ? await planInstall(request) : plan, { say });
      if (!withDeps) reportMissing(plan, io);
      if (failed.length > 0) say(`not installed: ${failed.join(', ')}`);
      else writeLines(io.stdout, [`installed in ${request.cacheDir}`]);
      end(failed.length > 0 ? 3 : 0);
    });
};
