import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import type { Network, Plan } from '../../harness/model/plan.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { attempt, planWith } from './in-qemus-place.ts';

const folder = folderOfFile();
beforeAll(() => {
  writeFileSync(join(folder, 'big'), '');
  truncateSync(join(folder, 'big'), 64 << 20);
});

const http = [{ port: 80, service: 'http' }] as const;
const nfs = [
  { port: 2049, service: 'nfs' },
  { port: 111, service: 'portmap' },
] as const;

/** The plan of a recorded case on another network. */
function planFor(env: Record<string, string>, network: Partial<Network>): Plan {
  const told = { ...env, NETWORK: JSON.stringify(network) };
  const plan = planWith('uefi-http-redirect', 'hostile-guest.mjs', told, join(folder, 'big'));
  return { ...plan, network: { ...plan.network, ...network } };
}

describe('a hostile guest', () => {
  it.each([
    ['sends mutated frames and noise', 'frames', '5000', http],
    ['sends them in a VLAN too', 'frames', '5000', http, 42],
    ['opens connections, transfers and leases', 'opens', '500', http],
    ['opens handles of NFS', 'opens', '500', nfs],
  ] as const)(
    'that %s is judged as what it is, and gets only what is for it',
    { timeout: 120_000 },
    async (what, kind, amount, tcp, vlan?: number) => {
      const plan = planFor({ HOSTILE: kind, SEED: '3', AMOUNT: amount }, { tcp: [...tcp], vlan });
      const { verdict, events, console } = await attempt(plan, join(folder, what.replaceAll(' ', '-')));
      expect(console()).toMatch(/sent \d{3,} frames\r\n$/);
      expect(console()).toMatch(tcp === nfs ? /opened \d{2,} handles/ : '');
      expect(console()).not.toContain('VIOLATION');
      expect(events.filter(({ type }) => type === 'infrastructure')).toEqual([]);
      // Its program ends by itself.
      expect(verdict).toMatchObject({
        status: 'error',
        failure: { rule: 'guest-gone', text: expect.stringContaining('exit code 0') },
      });
      expect(judge(plan, events)).toEqual(verdict);
    },
  );
});
