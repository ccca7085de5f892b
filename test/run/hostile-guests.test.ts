import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { attempt, planWith } from './in-qemus-place.ts';

const folder = folderOfFile();
beforeAll(() => {
  writeFileSync(join(folder, 'big'), '');
  truncateSync(join(folder, 'big'), 64 << 20);
});

describe('a hostile guest', () => {
  it.each([
    ['sends mutated frames and noise', 'frames', '5000'],
    ['opens connections, transfers and leases', 'opens', '500'],
  ])('that %s is judged as what it is, and gets only what is for it', { timeout: 120_000 }, async (_, kind, amount) => {
    const env = { HOSTILE: kind, SEED: '3', AMOUNT: amount, TCP_PORTS: '1' };
    const plan = planWith('uefi-http-redirect', 'hostile-guest.mjs', env, join(folder, 'big'));
    const { verdict, events, console } = await attempt(plan, join(folder, kind));
    expect(console()).toMatch(/sent \d{3,} frames\r\n$/);
    expect(console()).not.toContain('VIOLATION');
    expect(events.filter(({ type }) => type === 'infrastructure')).toEqual([]);
    // Its program ends by itself.
    expect(verdict).toMatchObject({
      status: 'error',
      failure: { rule: 'guest-gone', text: expect.stringContaining('exit code 0') },
    });
    expect(judge(plan, events)).toEqual(verdict);
  });
});
