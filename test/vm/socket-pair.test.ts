import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, expect, test, vi } from 'vitest';
import { createSerialPair, createSocketPair } from '../../harness/vm/socket-pair.ts';
import { tmpdirOfTest } from '../temporary-folder.ts';

let folder: string;
tmpdirOfTest((made) => {
  folder = made;
});

test('what is sent before anyone listens arrives, in order and whole, and nothing is left on the disk', async () => {
  const { ours, theirs } = await createSocketPair();
  const sent = randomBytes(3_000_000);
  theirs.end(sent);
  await new Promise((resolve) => setImmediate(resolve));
  const chunks: Buffer[] = [];
  ours.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  ours.resume();
  await new Promise((resolve) => ours.once('close', resolve));
  expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  expect(await readdir(folder)).toEqual([]);
});

test('not even a harness that is killed meanwhile leaves anything on the disk', async () => {
  const pair = createSocketPair();
  expect(readdirSync(folder)).toEqual([]);
  const { ours, theirs } = await pair;
  ours.destroy();
  theirs.destroy();
});

test('what is sent from here arrives there', async () => {
  const { ours, theirs } = await createSocketPair();
  ours.end('a frame');
  const chunks: Buffer[] = [];
  for await (const chunk of theirs) chunks.push(chunk as Buffer);
  expect(Buffer.concat(chunks).toString()).toBe('a frame');
});

afterEach(() => void vi.unstubAllEnvs());

test.each(['not-there', 'x'.repeat(120)])(
  'a folder for temporary files that cannot be used is reported',
  async (name) => {
    vi.stubEnv('TMPDIR', join(folder, name));
    await expect(createSocketPair()).rejects.toThrow(/cannot create a socket for a guest in .*: /);
  },
);

test.runIf(process.platform === 'linux')('a serial port takes 300,000 single bytes while nobody reads', async () => {
  const { ours, theirs } = await createSerialPair();
  // It fails where a write would have to wait, as QEMU's UART is busy then.
  const uart = await execa('dd', ['if=/dev/zero', 'bs=1', 'count=300000', 'status=none'], {
    stdio: ['ignore', theirs, 'pipe'],
    reject: false,
  });
  theirs.destroy();
  expect(uart).toMatchObject({ exitCode: 0, stderr: '' });
  let read = 0;
  ours.on('data', ({ length }: Buffer) => {
    read += length;
  });
  ours.resume();
  await new Promise((resolve) => ours.once('close', resolve));
  expect(read).toBe(300_000);
});

test('what is typed into a serial port arrives', async () => {
  const { ours, theirs } = await createSerialPair();
  ours.end('boot');
  let typed = '';
  for await (const chunk of theirs) typed += String(chunk);
  expect(typed).toBe('boot');
});
