import type { Plan } from '../model/plan.ts';

export const isUefi = (plan: Plan): boolean => plan.interface === 'uefi';

/** Something is in the NIC's ROM BAR; whether it suits the firmware is for the evidence to say. */
export const romCanRun = (plan: Plan): boolean => plan.scenario.rom !== 'none' && plan.scenario.rom !== 'rombar-off';
