import type { Plan } from '../model/plan.ts';
import { hasRom } from '../model/scenario.ts';
import type { Observed } from './evidence.ts';

/** Where a rule applies: what the plan has, and what was seen so far. */
export type When = (plan: Plan, observed: Observed) => boolean;

export const isUefi = (plan: Plan): boolean => plan.interface === 'uefi';

export const romCanRun = (plan: Plan): boolean => hasRom(plan.scenario.rom);

export const beforeNbp: When = (_plan, { stages }) => !stages.has('nbp-fetch');

/** Neither firmware nor loader speaks any more once a kernel does: what looks like them is userspace's text. */
export const beforeKernel: When = (_plan, { stages }) => !stages.has('kernel');

export const loadedBy =
  (loaders: readonly Plan['loader'][]): When =>
  (plan, { stages }) =>
    loaders.includes(plan.loader) && stages.has('nbp-fetch');
