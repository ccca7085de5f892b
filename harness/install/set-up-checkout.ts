import { makeSets, planInstall } from './install.ts';
import { installPackages } from './install-packages.ts';
import { inspectMachine } from './machine.ts';
import { packagesHere, testPackages } from './system-packages.ts';

export interface CheckoutSetUp {
  readonly cacheDir: string;
  readonly refresh: boolean;
  /** Also writes the versions fetched into recorded-packages.json. */
  readonly record: boolean;
  /** Also what the tests need. */
  readonly tests: boolean;
  readonly say: (line: string) => void;
}

/**
 * What `netboot install --with-deps` does, and what a checkout needs in addition. Rejects with HarnessError
 * `missing-program` if packages are missing and cannot be installed; a set that cannot be fetched is only reported.
 */
export async function setUpCheckout({ cacheDir, refresh, record, tests, say }: CheckoutSetUp): Promise<void> {
  const { env } = process;
  const { NETBOOT_DEBIAN_MIRROR: mirror } = env;
  const { signal } = new AbortController();
  const packages = [...packagesHere(), ...(tests ? testPackages : [])];
  await installPackages(packages, { machine: inspectMachine(env), say, signal });
  const plan = await planInstall({
    cacheDir,
    names: [],
    tests: true,
    refresh: refresh || record,
    mirror: mirror || undefined,
    allowExpired: false,
    packages,
    env,
    signal,
  });
  await makeSets(plan, { say, record });
}
