import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { recordBounds } from '../../harness/model/bounds.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { attempt, planWith } from './in-qemus-place.ts';

const folder = folderOfFile();
beforeAll(() => {
  writeFileSync(join(folder, 'big'), '');
  truncateSync(join(folder, 'big'), 64 << 20);
});

async function flood(kind: string) {
  const plan = planWith('bios-no-driver', 'flooding-guest.mjs', { FLOOD: kind }, join(folder, 'big'));
  return { plan, ...(await attempt(plan, join(folder, kind.replaceAll(' ', '-')))) };
}

describe('a guest that floods', () => {
  it.each([
    ['lines', 'eventLogBytes'],
    ['blank lines', 'consoleLines'],
    ['cleared screens', 'consoleLines'],
    ['discover', 'eventLogBytes'],
    ['tftp', 'eventLogBytes'],
    ['arp', 'idleFrames'],
    ['runts', 'idleFrames'],
    ['malformed frames', 'idleFrames'],
    ['closed ports', 'idleFrames'],
    ['firmware debug output', 'firmwareDebugBytes'],
  ] as const)(
    'with %s ends its case, which says so, within the bounds of its records',
    { timeout: 120_000 },
    async (kind, what) => {
      const { plan, verdict, events, sizeOf } = await flood(kind);
      expect(verdict).toMatchObject({ status: 'failed', failure: { rule: 'guest-flood' } });
      expect(verdict.diagnosis).toContain('the guest floods');
      expect(judge(plan, events)).toEqual(verdict);
      expect(events).toContainEqual(expect.objectContaining({ type: 'bounded', what, ends: true }));
      expect(events.findLast(({ type }) => type === 'ended')).toMatchObject({ reason: 'failure' });
      expect(sizeOf('events.jsonl')).toBeLessThan(1.1 * recordBounds.eventLogBytes);
      expect(sizeOf('serial.raw')).toBeLessThanOrEqual(recordBounds.serialBytes);
      expect(sizeOf('firmware-debug.log')).toBeLessThan(1.1 * recordBounds.firmwareDebugBytes);
      expect(sizeOf('wire.pcapng')).toBeLessThan(1.1 * recordBounds.captureBytes);
    },
  );
});
