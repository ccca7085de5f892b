import { describe, expect, test } from 'vitest';
import { contentOf, type Faults, readOverLink } from './lossy-read.ts';

const clean: Faults = { loss: 0, duplication: 0, reordering: 0 };
const links: Record<string, Faults> = {
  'losing 5 %': { ...clean, loss: 0.05 },
  'doubling 10 %': { ...clean, duplication: 0.1 },
  'doubling everything': { ...clean, duplication: 1 },
  'reordering 20 %': { ...clean, reordering: 0.2 },
  'doing all of it': { loss: 0.03, duplication: 0.05, reordering: 0.1 },
};
const reads = [
  { name: 'no options', options: {}, bytes: 60_000 },
  { name: 'an exact multiple', options: { blksize: '1024', tsize: '0' }, bytes: 64 * 1024 },
  { name: 'an empty file', options: { tsize: '0' }, bytes: 0 },
  { name: 'windowsize 4', options: { blksize: '1468', windowsize: '4' }, bytes: 300_000 },
  { name: 'windowsize 16', options: { blksize: '512', windowsize: '16' }, bytes: 200_000 },
];

describe.each(Object.entries(links))('over a link %s', (_name, faults) => {
  test.each(reads)('$name arrives whole', async ({ options, bytes }) => {
    const content = contentOf(bytes);
    for (const seed of [1, 2, 3]) {
      const { received, events } = await readOverLink(content, options, faults, seed);
      expect(received === content).toBe(true);
      // Where the last acknowledgement was lost, the server may not know.
      const seen = events.filter(({ type }) => type === 'tftp-complete');
      expect(seen).toEqual([expect.objectContaining({ file: 'file', bytes })]);
    }
  });
});

describe('the cost of duplicates', () => {
  test('is at most one window for each, and not one for all that follow', async () => {
    const faults = { ...clean, duplication: 0.01 };
    const { dataPackets, blocks } = await readOverLink(contentOf(500_000), { windowsize: '4' }, faults, 7);
    expect(dataPackets).toBeLessThan(blocks * 1.1);
  });

  test('is nothing for single blocks', async () => {
    const faults = { ...clean, duplication: 1 };
    const { dataPackets, blocks } = await readOverLink(contentOf(100_000), {}, faults, 7);
    expect(dataPackets).toBe(blocks);
  });
});

test.each([{}, { windowsize: '8' }])('block numbers wrap from 65,535 to 0 (%o)', async (window) => {
  const content = contentOf(8 * 65_540 + 3);
  const { received, events } = await readOverLink(content, { blksize: '8', ...window }, clean, 1);
  expect(received === content).toBe(true);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'tftp-complete', bytes: content.length, blocks: 65_541 }),
  );
});
