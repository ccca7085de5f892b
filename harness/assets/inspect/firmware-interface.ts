import type { FirmwareInterface } from '../../model/axes.ts';
import { type Inspection, qcow2Guess } from './inspect.ts';

/** How this firmware starts what it loads; undefined where the file does not show it, or is not firmware. */
export function interfaceOf(inspection: Inspection): FirmwareInterface | undefined {
  if (inspection.type === 'bios') return 'bios';
  if (inspection.type === 'firmware' && inspection.drivers.length > 0) return 'uefi';
  // The contents are opaque, but only flash comes in this format, and QEMU's BIOS images are never flash.
  return inspection.type === 'unknown' && inspection.guess === qcow2Guess ? 'uefi' : undefined;
}
