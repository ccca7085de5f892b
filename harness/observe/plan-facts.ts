import type { Plan } from '../model/plan.ts';
import { hasRom } from '../model/scenario.ts';

export const isUefi = (plan: Plan): boolean => plan.interface === 'uefi';

export const romCanRun = (plan: Plan): boolean => hasRom(plan.scenario.rom);
