import type { AttemptRecord } from '../../report-data.ts';
import { type EventTable, lookUp } from '../event-table.ts';
import { duration } from '../format.ts';
import type { Lane, Tick } from './lane.ts';

type Said = Pick<Tick, 'kind' | 'detail'>;
const machine = (detail: string): Said => ({ kind: 'machine', detail });
const broken = (detail: string): Said => ({ kind: 'broken', detail });

/** What QEMU and the harness did, or had done to them. */
const said: EventTable<Said> = {
  'qmp event': ({ name }) => machine(`QMP ${name}`),
  'qmp status': ({ status }) => machine(`QEMU says: ${status}`),
  'vm spawned': ({ accel }) => machine(`QEMU started (${accel})`),
  'vm exited': ({ byHarness, exitCode, signal }) =>
    byHarness ? machine('QEMU ended by the harness') : broken(`QEMU ended: ${signal ?? `exit code ${exitCode}`}`),
  'vm demoted': ({ from, to, reason }) => broken(`${to} instead of ${from}: ${reason}`),
  'vm stderr': ({ text }) => machine(`QEMU: ${text}`),
  'run deadline': ({ stage, allowedMs }) => broken(`deadline: ${stage} did not come within ${duration(allowedMs)}`),
  'run silent': ({ stage, restedMs }) =>
    broken(`the guest was at rest for ${duration(restedMs)} on the way to ${stage}`),
  'run power-cycled': ({ boot, name }) => machine(`switched off and on: boot ${boot}, ${name}`),
  'run fault': ({ text }) => broken(`done on purpose: ${text}`),
  'run bounded': ({ what, limit }) => broken(`record full: ${what} (${limit})`),
  'run infrastructure': ({ message }) => broken(message),
};

export function machineLane({ events }: AttemptRecord): Lane {
  const ticks = events.flatMap((event): Tick[] => {
    const found = lookUp(said, event);
    return found ? [{ tMs: event.tMs, weight: 1, ...found }] : [];
  });
  return { name: 'machine', mostRows: 1, spans: [], ticks };
}
