import type { FilterName } from '../route.ts';

const titles: Partial<Record<FilterName, string>> = {
  nic: 'NIC',
  rom: 'ROM',
  secondStage: 'second stage',
  secureBoot: 'Secure Boot',
  ipVersion: 'IP version',
  set: 'build',
};
/** What people call an axis. */
export const titleOf = (name: FilterName): string => titles[name] ?? name;
