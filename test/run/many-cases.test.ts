import { serialize } from 'node:v8';
import { expect, it } from 'vitest';
import type { FoundCase } from '../../harness/run/found-case.ts';
import { entriesOf } from '../../harness/run/prepare-cases.ts';
import { resolved, scenario } from '../plan/found-scenario.ts';
import { openHost } from './rig.ts';

it('a case that waits for its turn weighs little: a run of a hundred thousand fits in memory', async () => {
  const repeat = 1000;
  const found: FoundCase = {
    scenario: scenario({}),
    resolved: {
      ...resolved(),
      loader: 'shim-grub',
      transports: { nbp: 'tftp', config: 'tftp', payload: 'tftp' },
    },
    prediction: { firmwareDriver: null, romImage: null, configuration: null, stopsAt: null, reasons: [], facts: [] },
  };
  const entries = await entriesOf(
    { cells: [found.scenario], repeat },
    { ...(await openHost()), find: async () => found },
  );
  expect(entries).toHaveLength(repeat);
  expect(serialize(entries).byteLength / repeat).toBeLessThan(500);
});
