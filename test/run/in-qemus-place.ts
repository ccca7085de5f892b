import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plan, planSchema } from '../../harness/model/plan.ts';
import { runAttempt } from '../../harness/run/attempt.ts';
import { createAuthorities } from '../../harness/run/authorities.ts';
import { readEvents } from '../../harness/run/records/run-directory.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));

/** The plan of a recorded case (`run`), with a program below fixtures/ in QEMU's place, and a large file to fetch. */
export function planWith(run: string, program: string, env: Record<string, string>, big: string): Plan {
  const plan = planSchema.parse(JSON.parse(readFileSync(fixture(`runs/${run}/plan.json`), 'utf8')));
  const serve = { 'boot.ipxe': { text: '#!ipxe' }, big: { path: big } };
  return { ...plan, inputs: [], serve, qemu: { ...plan.qemu, program: fixture(program), env } };
}

/** Runs one attempt of the plan in a folder; resolves to its verdict and records. */
export async function attempt(plan: Plan, directory: string) {
  const { verdict } = await runAttempt({
    id: 'case',
    plan,
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
  return {
    verdict,
    events: readEvents(directory),
    sizeOf: (name: string): number => statSync(join(directory, name)).size,
    console: () => readFileSync(join(directory, 'serial.raw'), 'latin1'),
  };
}
