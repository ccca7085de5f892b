import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { recordBounds } from '../../harness/model/bounds.ts';
import { type Plan, planSchema } from '../../harness/model/plan.ts';
import { runAttempt } from '../../harness/run/attempt.ts';
import { createAuthorities } from '../../harness/run/authorities.ts';
import { readEvents } from '../../harness/run/run-directory.ts';
import { folderOfFile } from '../temporary-folder.ts';

const recorded = fileURLToPath(new URL('../../fixtures/runs/bios-no-driver/plan.json', import.meta.url));
const program = fileURLToPath(new URL('../../fixtures/flooding-guest.mjs', import.meta.url));

const folder = folderOfFile();
beforeAll(() => {
  writeFileSync(join(folder, 'big'), '');
  truncateSync(join(folder, 'big'), 64 << 20);
});

/** The plan of a recorded case, with a flooding program in QEMU's place. */
function planOf(flood: string): Plan {
  const plan = planSchema.parse(JSON.parse(readFileSync(recorded, 'utf8')));
  const serve = { ...plan.serve, big: { path: join(folder, 'big') } };
  return { ...plan, inputs: [], serve, qemu: { ...plan.qemu, program, env: { FLOOD: flood } } };
}

async function flood(kind: string) {
  const directory = join(folder, kind.replaceAll(' ', '-'));
  const { plan, verdict } = await runAttempt({
    id: 'case',
    plan: planOf(kind),
    attempt: 1,
    setDirs: [],
    directory,
    qemu: { sandbox: false, version: '7.2.0' },
    accel: 'tcg',
    fingerprints: { of: () => Promise.reject(new Error('there are no inputs')) },
    authorities: createAuthorities(),
    onStage: () => {},
    signal: new AbortController().signal,
  });
  const sizeOf = (name: string): number => statSync(join(directory, name)).size;
  return { directory, plan, verdict, events: readEvents(directory), sizeOf };
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
