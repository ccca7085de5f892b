import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCapture } from '../../harness/wire/capture/capture.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wire-capture-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Reads a pcapng file block by block by the draft, independently of the writer. */
function readPcapng(data: Buffer) {
  const packets: { epochUs: number; flags: number; frame: Buffer }[] = [];
  const types: number[] = [];
  for (let at = 0; at < data.length; ) {
    const type = data.readUInt32LE(at);
    const length = data.readUInt32LE(at + 4);
    expect(length % 4).toBe(0);
    expect(data.readUInt32LE(at + length - 4)).toBe(length);
    types.push(type);
    if (type === 6) {
      const captured = data.readUInt32LE(at + 20);
      expect(data.readUInt32LE(at + 24)).toBe(captured);
      const optionsAt = at + 28 + Math.ceil(captured / 4) * 4;
      expect(data.readUInt32LE(optionsAt)).toBe(0x0004_0002);
      packets.push({
        epochUs: data.readUInt32LE(at + 12) * 2 ** 32 + data.readUInt32LE(at + 16),
        flags: data.readUInt32LE(optionsAt + 4),
        frame: data.subarray(at + 28, at + 28 + captured),
      });
    }
    at += length;
  }
  return { types, packets };
}

test('frames are read back with their times and directions, in order', async () => {
  const path = join(folder, 'wire.pcapng');
  const capture = await createCapture(path, 1_700_000_000_000);
  const frames = Array.from({ length: 2000 }, (_, index) => Buffer.alloc(14 + (index % 1501), index));
  frames.forEach((frame, index) => {
    const reused = Buffer.from(frame);
    capture.frame(index % 3 === 0 ? 'guest' : 'server', reused, index / 2 + 0.125);
    reused.fill(0);
  });
  await capture.close();
  const { types, packets } = readPcapng(await readFile(path));
  expect(types.slice(0, 3)).toEqual([0x0a0d0d0a, 1, 6]);
  expect(packets).toHaveLength(frames.length);
  expect(packets.every(({ frame }, index) => frame.equals(frames[index]!))).toBe(true);
  expect(packets.slice(0, 3).map(({ flags }) => flags)).toEqual([2, 1, 1]);
  expect(packets[3]!.epochUs).toBe(1_700_000_000_000_000 + 1625);
  expect(capture.dropped).toBe(0);
});

test.skipIf(spawnSync('capinfos', ['--version']).error !== undefined)('capinfos opens it', async () => {
  const path = join(folder, 'wire.pcapng');
  const capture = await createCapture(path, Date.now());
  capture.frame('guest', Buffer.alloc(60), 1);
  await capture.close();
  expect(spawnSync('capinfos', ['-c', path], { encoding: 'utf8' }).stdout).toMatch(/packets:\s+1/);
});

test('closing twice is closing once, and nothing is recorded after', async () => {
  const path = join(folder, 'wire.pcapng');
  const capture = await createCapture(path, 0);
  await Promise.all([capture.close(), capture.close()]);
  capture.frame('guest', Buffer.alloc(60), 1);
  expect(readPcapng(await readFile(path)).types).toHaveLength(2);
});

test('a folder that is not there is a disk error that names the file', async () => {
  const path = join(folder, 'none', 'wire.pcapng');
  await expect(createCapture(path, 0)).rejects.toMatchObject({ code: 'disk', message: expect.stringContaining(path) });
});

test.skipIf(process.platform !== 'linux')('a full disk is reported at close', async () => {
  const capture = await createCapture('/dev/full', 0);
  capture.frame('guest', Buffer.alloc(60), 1);
  await expect(capture.close()).rejects.toMatchObject({ code: 'disk' });
});
