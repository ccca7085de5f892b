import type { FirmwareInterface } from './axes.ts';
import type { Scenario } from './scenario.ts';

/** How a scenario's firmware starts what it loads; undefined for a file not yet inspected. */
export function interfaceOfFirmware(firmware: Scenario['firmware']): FirmwareInterface | undefined {
  if (typeof firmware === 'object') return firmware.interface;
  return firmware === 'seabios' ? 'bios' : 'uefi';
}
