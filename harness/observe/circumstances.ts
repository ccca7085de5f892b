import type { Plan } from '../model/plan.ts';
import { hasRom } from '../model/scenario.ts';
import type { Observed } from './evidence.ts';

/** Where a rule applies: by plan, and by what was seen so far. */
export type When = (plan: Plan, observed: Observed) => boolean;

export const isUefi = (plan: Plan): boolean => plan.interface === 'uefi';

export const romCanRun = (plan: Plan): boolean => hasRom(plan.scenario.rom);

export const beforeNbp: When = (_plan, { stages }) => !stages.has('nbp-fetch');

/** Firmware and loader are silent once a kernel runs: text that looks like theirs comes from userspace. */
export const beforeKernel: When = (_plan, { stages }) => !stages.has('kernel');

export const loadedBy =
  (loaders: readonly Plan['loader'][]): When =>
  (plan, { stages }) =>
    loaders.includes(plan.loader) && stages.has('nbp-fetch');
