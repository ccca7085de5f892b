import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, expect, test, vi } from 'vitest';
import { withSocketFolder } from '../../harness/vm/socket-folder.ts';
import { createSerialPair, createSocketPair } from '../../harness/vm/socket-pair.ts';
import { tmpdirOfTest } from '../temporary-folder.ts';

let folder: string;
tmpdirOfTest((made) => {
  folder = made;
});

test('what is sent before anyone listens arrives, in order and whole, and nothing is left on the disk', async () => {
  const { ours, theirs } = await withSocketFolder(createSocketPair);
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

test('not even a harness that is killed while a socket has a name leaves anything on the disk', async () => {
  const code = `
    import { Server } from 'node:net';
    import { createJiti } from 'jiti';
    const load = (name) => createJiti(process.cwd() + '/x.mjs').import(process.cwd() + '/harness/vm/' + name);
    const { withSocketFolder } = await load('socket-folder.ts');
    const { createSocketPair } = await load('socket-pair.ts');
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...path) {
      listen.apply(this, path);
      process.kill(process.pid, 'SIGKILL');
    };
    await withSocketFolder(createSocketPair);`;
  const { signal } = await execa(process.execPath, ['--input-type=module', '--eval', code], { reject: false });
  expect(signal).toBe('SIGKILL');
  await expect.poll(() => readdirSync(folder), { timeout: 10_000 }).toEqual([]);
});

test('what is sent from here arrives there', async () => {
  const { ours, theirs } = await withSocketFolder(createSocketPair);
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
    await expect(withSocketFolder(createSocketPair)).rejects.toThrow(/cannot create a socket for a guest in .*: /);
  },
);

test.runIf(process.platform === 'linux')('a serial port takes 300,000 single bytes while nobody reads', async () => {
  const { ours, theirs } = await withSocketFolder(createSerialPair);
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
  const { ours, theirs } = await withSocketFolder(createSerialPair);
  ours.end('boot');
  let typed = '';
  for await (const chunk of theirs) typed += String(chunk);
  expect(typed).toBe('boot');
});
