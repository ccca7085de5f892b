import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { openRawLogs } from '../../harness/run/records/raw-logs.ts';
import { tmpdirOfTest } from '../temporary-folder.ts';

let folder: string;
tmpdirOfTest((made) => {
  folder = made;
});

const noTrouble = (error: Error): void => expect.fail(error.message);
const serial = (): string => readFileSync(join(folder, 'serial.raw'), 'latin1');

test('what a guest prints byte by byte, in one buffer, is on the disk whole once the logs are closed', async () => {
  const logs = openRawLogs(folder, noTrouble);
  const text = 'iPXE initialising devices...ok\r\n'.repeat(2_000);
  const port = Buffer.alloc(1);
  for (const byte of Buffer.from(text)) {
    port[0] = byte;
    await logs.serial(port);
  }
  await logs.close([]);
  expect(serial()).toBe(text);
});

test('a long chunk is written whole, and asks to wait for the disk', async () => {
  const logs = openRawLogs(folder, noTrouble);
  const chunk = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  const written = logs.serial(chunk);
  expect(written).toBeInstanceOf(Promise);
  await written;
  await logs.close([]);
  expect(readFileSync(join(folder, 'serial.raw')).equals(chunk)).toBe(true);
});

test('what a guest has printed reaches the disk while it runs', async () => {
  const logs = openRawLogs(folder, noTrouble);
  logs.serial(Buffer.from('grub> '));
  await vi.waitFor(() => expect(serial()).toBe('grub> '), { timeout: 10_000 });
  logs.serial(Buffer.from('boot'));
  await vi.waitFor(() => expect(serial()).toBe('grub> boot'), { timeout: 10_000 });
  await logs.close([]);
});
