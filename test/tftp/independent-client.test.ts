import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createClient } from 'tftp';
import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { systemClock } from '../../harness/services/clock.ts';
import { startTftp } from '../../harness/services/tftp/server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { openLoopbackEndpoint } from './loopback-endpoint.ts';

const folder = folderOfFile();

async function fetchWith(options: Record<string, number>, content: Buffer) {
  const served = join(folder, 'served');
  const fetched = join(folder, 'fetched');
  await writeFile(served, content);
  const udp = await openLoopbackEndpoint();
  const events: UntimedEvent[] = [];
  const tree = openTree({ 'boot/file': { path: served } });
  const server = startTftp(udp, { tree, emit: (event) => events.push(event), clock: systemClock });
  try {
    const client = createClient({ host: '127.0.0.1', port: udp.requestPort, ...options });
    await new Promise<void>((resolve, reject) =>
      client.get('/boot/file', fetched, (error) => (error ? reject(error) : resolve())),
    );
    return { fetched: await readFile(fetched), events };
  } finally {
    server.close();
  }
}

describe("the tftp package's client", () => {
  test.each([
    { name: 'its defaults', options: {}, bytes: 3_000_000 },
    { name: 'one block per window', options: { windowSize: 1, blockSize: 512 }, bytes: 100_000 },
    { name: 'a block size beyond the MTU', options: { windowSize: 8, blockSize: 65_464 }, bytes: 1_000_000 },
    { name: 'a length that is a multiple of the block', options: { windowSize: 4, blockSize: 1024 }, bytes: 64 * 1024 },
    { name: 'more than 65,535 blocks', options: { windowSize: 32, blockSize: 8 }, bytes: 8 * 65_600 + 3 },
  ])('fetches a file whole with $name', async ({ options, bytes }) => {
    const content = randomBytes(bytes);
    const { fetched, events } = await fetchWith(options, content);
    expect(fetched.equals(content)).toBe(true);
    expect(events).toEqual([expect.objectContaining({ file: 'boot/file', outcome: 'complete', bytes })]);
  });

  test('gets an error for a missing file', async () => {
    const udp = await openLoopbackEndpoint();
    const server = startTftp(udp, { tree: openTree({}), emit: () => {}, clock: systemClock });
    const client = createClient({ host: '127.0.0.1', port: udp.requestPort });
    const error = await new Promise<Error | null>((resolve) => client.get('absent', join(folder, 'absent'), resolve));
    server.close();
    expect(error?.message).toMatch(/File not found/);
  });
});
