import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { MachineFiles } from '../../vm/machine-state.ts';

/** What a guest printed and sent before its moment, and what it was sent, and when, in ms since its start. */
const sightSchema = z.strictObject({
  tMs: z.number().nonnegative(),
  on: z.enum(['serial', 'wire', 'answer']),
  bytes: z.base64(),
});
export type Sight = z.infer<typeof sightSchema>;

const recordSchema = z.strictObject({
  version: z.literal(2),
  /** When it was stopped, and the CPU time spent up to there. */
  atMs: z.number().nonnegative(),
  guestCpuMs: z.number().nonnegative(),
  seen: z.array(sightSchema),
  /** The frame at which it was stopped, and those sent before it was. */
  asked: z.array(z.base64()).min(1),
  /** Lengths of the files next to this one, in bytes. */
  lengths: z.strictObject({ ram: z.int(), devices: z.int() }),
});
export type TemplateRecord = z.infer<typeof recordSchema>;

/** A guest stopped at a moment of its boot, on disk. */
export interface Template {
  id: string;
  files: MachineFiles;
  /** What the firmware had written to its debug port. */
  firmwareDebug: string;
  record: TemplateRecord;
}

const recordFile = 'start.json';

export const machineFilesIn = (folder: string): MachineFiles => ({
  ram: join(folder, 'ram'),
  devices: join(folder, 'devices'),
});
export const firmwareDebugIn = (folder: string): string => join(folder, 'firmware-debug.log');

const lengthsOf = ({ ram, devices }: MachineFiles) => ({ ram: statSync(ram).size, devices: statSync(devices).size });

export function writeTemplateRecord(folder: string, record: Omit<TemplateRecord, 'version' | 'lengths'>): void {
  const whole: TemplateRecord = { version: 2, ...record, lengths: lengthsOf(machineFilesIn(folder)) };
  writeFileSync(join(folder, recordFile), JSON.stringify(whole));
}

/** The template in a folder; undefined if it is not one, or not whole. */
export function readTemplate(id: string, folder: string): Template | undefined {
  const path = join(folder, recordFile);
  if (!existsSync(path)) return undefined;
  try {
    const record = recordSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    const files = machineFilesIn(folder);
    const { ram, devices } = lengthsOf(files);
    const isWhole = ram === record.lengths.ram && devices === record.lengths.devices;
    return isWhole ? { id, files, firmwareDebug: firmwareDebugIn(folder), record } : undefined;
  } catch {
    return undefined;
  }
}
