import { spawnSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { boundReached, recordBounds } from '../../harness/model/bounds.ts';
import type { EventSink, UntimedEvent } from '../../harness/model/events.ts';
import { createCapture } from '../../harness/wire/capture/capture.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { MemoryLink, network } from './frames.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

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

async function start(path: string, startedAtMs: number, maxBytes?: number) {
  const events: UntimedEvent[] = [];
  const emit: EventSink = (event) => events.push(event);
  const capture = await createCapture(path, { startedAtMs, emit, ...(maxBytes === undefined ? {} : { maxBytes }) });
  return { capture, events };
}

test('frames are read back with their times and directions, in order', async () => {
  const path = join(folder, 'wire.pcapng');
  const { capture, events } = await start(path, 1_700_000_000_000);
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
  expect(events).toEqual([]);
});

test.skipIf(spawnSync('capinfos', ['--version']).error !== undefined)('capinfos opens it', async () => {
  const path = join(folder, 'wire.pcapng');
  const { capture } = await start(path, Date.now());
  capture.frame('guest', Buffer.alloc(60), 1);
  await capture.close();
  expect(spawnSync('capinfos', ['-c', path], { encoding: 'utf8' }).stdout).toMatch(/packets:\s+1/);
});

test('what was recorded reaches the disk while the guest runs, even where nothing was sent yet', async () => {
  const path = join(folder, 'wire.pcapng');
  const { capture } = await start(path, 0);
  const onDisk = async (frames: number) =>
    expect(readPcapng(await readFile(path))).toMatchObject({ types: [0x0a0d0d0a, 1, ...Array(frames).fill(6)] });
  for (const frames of [0, 1, 2]) {
    if (frames > 0) capture.frame('guest', Buffer.alloc(60), frames);
    await vi.waitFor(() => onDisk(frames), { timeout: 10_000 });
  }
  await capture.close();
});

test('closing twice is closing once, and nothing is recorded after', async () => {
  const path = join(folder, 'wire.pcapng');
  const { capture } = await start(path, 0);
  await Promise.all([capture.close(), capture.close()]);
  capture.frame('guest', Buffer.alloc(60), 1);
  expect(readPcapng(await readFile(path)).types).toHaveLength(2);
});

test('a folder that is not there is a disk error that names the file', async () => {
  const path = join(folder, 'none', 'wire.pcapng');
  await expect(start(path, 0)).rejects.toMatchObject({ code: 'disk', message: expect.stringContaining(path) });
});

test.skipIf(process.platform !== 'linux')('a full disk is reported at close', async () => {
  const { capture } = await start('/dev/full', 0);
  capture.frame('guest', Buffer.alloc(60), 1);
  await expect(capture.close()).rejects.toMatchObject({ code: 'disk' });
});

describe('a capture that leaves frames out', () => {
  test('stops for good at its bound, with whole frames, and says so once', async () => {
    const path = join(folder, 'wire.pcapng');
    const maxBytes = 3000;
    const { capture, events } = await start(path, 0, maxBytes);
    for (const length of [1000, 1000, 1000, 60, 60]) capture.frame('guest', Buffer.alloc(length), 1);
    await capture.close();
    const file = await readFile(path);
    expect(file.length).toBeLessThanOrEqual(maxBytes);
    expect(readPcapng(file).packets.map(({ frame }) => frame.length)).toEqual([1000, 1000]);
    expect(events).toEqual([boundReached('captureBytes', maxBytes)]);
  });

  test('is bounded unless told otherwise', async () => {
    const { capture, events } = await start('/dev/null', 0);
    const frame = Buffer.alloc(65_536);
    const isFull = () => events.some((event) => event.type === 'bounded' && event.what === 'captureBytes');
    // Frames that overtake the disk do not count.
    for (let sent = 0; sent <= 4 * recordBounds.captureBytes && !isFull(); sent += frame.length) {
      capture.frame('guest', frame, 1);
      if (sent % (256 << 10) === 0) await stat('/dev/null');
    }
    await capture.close();
    expect(events.at(-1)).toEqual(boundReached('captureBytes'));
  });

  test('keeps no more than its backlog in memory while the disk cannot keep up, and says so once', async () => {
    const path = join(folder, 'wire.pcapng');
    const { capture, events } = await start(path, 0);
    const frame = Buffer.alloc(65_536);
    // The disk gets no turn.
    for (let sent = 0; sent < 2 * recordBounds.captureBacklogBytes; sent += frame.length)
      capture.frame('guest', frame, 1);
    await capture.close();
    expect(events).toEqual([boundReached('captureBacklogBytes')]);
    const { length } = await readFile(path);
    expect(length).toBeGreaterThan(0.9 * recordBounds.captureBacklogBytes);
    expect(length).toBeLessThan(1.1 * recordBounds.captureBacklogBytes);
  });
});

/** An ARP request for the server from 10.0.2.`host`. */
const arpFrom = (host: number) => {
  const sender = `5254001234560a0002${host.toString(16).padStart(2, '0')}`;
  return Buffer.from(`ffffffffffff52540012345608060001080006040001${sender}0000000000000a000202`, 'hex');
};

test('the wire goes on past a full capture: the guest is served, and what it sends becomes events', async () => {
  const { capture, events } = await start(join(folder, 'wire.pcapng'), 0, 400);
  const nic = new MemoryLink();
  const seen: UntimedEvent[] = [];
  createWire({ network, nic, capture, emit: (event) => seen.push(event), now: () => 5 });
  const asked = 10;
  for (let host = 1; host <= asked; host++) nic.deliver(arpFrom(host));
  await capture.close();
  expect(events).toEqual([boundReached('captureBytes', 400)]);
  expect(nic.sent).toHaveLength(asked);
  expect(seen.filter(({ type }) => type === 'arp')).toHaveLength(2 * asked);
});
