import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { startTftp } from '../../harness/services/tftp/server.ts';
import { memoryEntry, type ServedEntry } from '../../harness/services/tree/served-entry.ts';
import { encodeError } from '../../harness/wire/codecs/tftp.ts';
import { blocksOf, guest, setUp } from './bench.ts';
import { encodeAck, encodeRequest } from './client-packets.ts';
import { createManualClock } from './manual-clock.ts';
import { createMemoryEndpoint } from './memory-endpoint.ts';

const text = (bytes: number) => ({ text: 'x'.repeat(bytes) });

describe('options', () => {
  test.each([
    { asked: {}, granted: undefined, firstBytes: 512 },
    { asked: { tsize: '0' }, granted: { tsize: '5000' } },
    { asked: { blksize: '1432' }, granted: { blksize: '1432' } },
    { asked: { blksize: '65464' }, granted: { blksize: '1468' } },
    { asked: { blksize: '65535', tsize: '0' }, granted: { blksize: '1468', tsize: '5000' } },
    { asked: { blksize: '8' }, granted: { blksize: '8' } },
    { asked: { blksize: '7' }, granted: undefined, firstBytes: 512 },
    { asked: { blksize: '-1' }, granted: undefined, firstBytes: 512 },
    { asked: { blksize: '1e3' }, granted: undefined, firstBytes: 512 },
    { asked: { BlkSize: '1024' }, granted: { blksize: '1024' } },
    { asked: { windowsize: '4' }, granted: { windowsize: '4' } },
    { asked: { windowsize: '65535' }, granted: { windowsize: '64' } },
    { asked: { windowsize: '0' }, granted: undefined, firstBytes: 512 },
    { asked: { timeout: '3' }, granted: { timeout: '3' } },
    { asked: { timeout: '0' }, granted: undefined, firstBytes: 512 },
    { asked: { timeout: '256' }, granted: undefined, firstBytes: 512 },
    { asked: { multicast: '' }, granted: undefined, firstBytes: 512 },
    { asked: { multicast: '', tsize: '0' }, granted: { tsize: '5000' } },
  ])('$asked', async ({ asked, granted, firstBytes }) => {
    const { request, taken } = setUp({ file: text(5000) });
    await request('file', asked);
    const [first] = taken();
    if (granted) expect(first).toEqual({ kind: 'oack', options: new Map(Object.entries(granted)) });
    else expect(first).toMatchObject({ kind: 'data', block: 1, data: { length: firstBytes } });
  });

  test('blocks leave room for the longer header of IPv6', async () => {
    const { request, taken } = setUp({ file: text(5000) });
    await request('file', { blksize: '65464' }, { ...guest, ip: 'fd00::20' });
    expect(taken()).toEqual([{ kind: 'oack', options: new Map([['blksize', '1448']]) }]);
  });
});

describe('one block at a time', () => {
  test('a file ends with its short block, and the transfer with its acknowledgement', async () => {
    const { request, send, taken, events, udp } = setUp({ file: text(1000) });
    await request('/file');
    expect(taken()).toMatchObject([{ block: 1 }]);
    send(encodeAck(1));
    expect(taken()).toMatchObject([{ block: 2, data: { length: 488 } }]);
    expect(events).toEqual([]);
    send(encodeAck(2));
    expect(events).toMatchObject([{ file: 'file', outcome: 'complete', bytes: 1000, retransmissions: 0 }]);
    expect(udp.openPorts()).toEqual([69]);
  });

  test.each([
    { bytes: 0, blocks: [1] },
    { bytes: 512, blocks: [1, 2] },
    { bytes: 1024, blocks: [1, 2, 3] },
  ])('$bytes bytes end with an empty block', async ({ bytes, blocks }) => {
    const { request, send, taken, events } = setUp({ file: text(bytes) });
    await request('file');
    for (const block of blocks) {
      expect(taken()).toMatchObject([{ block, data: { length: block === blocks.length ? 0 : 512 } }]);
      send(encodeAck(block));
    }
    expect(events).toMatchObject([{ outcome: 'complete', bytes }]);
  });

  test('repeated and stray acknowledgements send nothing', async () => {
    const { request, send, taken } = setUp({ file: text(5000) });
    await request('file');
    send(encodeAck(1));
    send(encodeAck(2));
    taken();
    for (const block of [2, 2, 2, 1, 0, 9, 4, 65535]) send(encodeAck(block));
    expect(taken()).toEqual([]);
  });

  test('silence makes it send again, ever more slowly, and give up in the end', async () => {
    const { request, send, taken, clock, events } = setUp({ file: text(5000) });
    await request('file');
    send(encodeAck(1));
    taken();
    clock.advance(900);
    expect(taken()).toEqual([]);
    clock.advance(200);
    expect(blocksOf(taken())).toEqual([2]);
    clock.advance(1500);
    expect(taken()).toEqual([]);
    clock.advance(600);
    expect(blocksOf(taken())).toEqual([2]);
    clock.advance(120_000);
    expect(blocksOf(taken()).length).toBeLessThan(8);
    expect(events).toMatchObject([{ outcome: 'timed-out', bytes: 512, note: 'no answer to block 2' }]);
  });

  test('the timeout is the one that was agreed', async () => {
    const { request, taken, clock } = setUp({ file: text(5000) });
    await request('file', { timeout: '5' });
    taken();
    clock.advance(4800);
    expect(taken()).toEqual([]);
    clock.advance(300);
    expect(taken()).toMatchObject([{ kind: 'oack' }]);
  });
});

describe('windows', () => {
  const started = async () => {
    const bench = setUp({ file: text(20_000) });
    await bench.request('file', { windowsize: '4' });
    bench.send(encodeAck(0));
    expect(blocksOf(bench.taken())).toEqual([1, 2, 3, 4]);
    return bench;
  };

  test('an acknowledgement of the whole window moves on by one', async () => {
    const { send, taken } = await started();
    send(encodeAck(4));
    expect(blocksOf(taken())).toEqual([5, 6, 7, 8]);
  });

  test('one inside the window says where the gap is', async () => {
    const { send, taken } = await started();
    send(encodeAck(2));
    expect(blocksOf(taken())).toEqual([3, 4, 5, 6]);
  });

  test('a repeated one is a gap at the start of the window, once', async () => {
    const { send, taken } = await started();
    send(encodeAck(4));
    taken();
    send(encodeAck(4));
    expect(blocksOf(taken())).toEqual([5, 6, 7, 8]);
    for (let repeat = 0; repeat < 100; repeat++) send(encodeAck(4));
    expect(taken()).toEqual([]);
  });

  test('duplicates caused by sending again do not cause more', async () => {
    const { send, taken } = await started();
    send(encodeAck(4));
    send(encodeAck(4));
    taken();
    // The guest had 5 to 8 and says so for each block it gets twice.
    for (let repeat = 0; repeat < 5; repeat++) send(encodeAck(8));
    expect(blocksOf(taken())).toEqual([9, 10, 11, 12]);
    send(encodeAck(12));
    expect(blocksOf(taken())).toEqual([13, 14, 15, 16]);
  });

  test('silence restarts after the last acknowledged block', async () => {
    const { send, taken, clock } = await started();
    send(encodeAck(4));
    taken();
    clock.advance(1100);
    expect(blocksOf(taken())).toEqual([5, 6, 7, 8]);
  });
});

describe('peers', () => {
  test('a stranger gets an error, and the transfer continues', async () => {
    const { request, send, takenRaw, taken } = setUp({ file: text(1000) });
    await request('file');
    taken();
    const stranger = { ...guest, port: 4444 };
    send(encodeAck(1), stranger);
    send(encodeError(0, 'stop'), stranger);
    send(encodeAck(1), { ...guest, ip: '192.168.10.21' });
    expect(takenRaw()).toMatchObject([{ to: stranger }, { to: { ip: '192.168.10.21' } }]);
    send(encodeAck(1));
    expect(taken()).toMatchObject([{ kind: 'data', block: 2 }]);
  });

  test('a size probe ends with the guest saying so', async () => {
    const { request, send, events, udp, clock, taken } = setUp({ file: text(1000) });
    await request('file', { tsize: '0' });
    send(encodeError(8, 'User aborted the transfer'));
    expect(events).toMatchObject([{ outcome: 'aborted', bytes: 0, note: 'guest: error 8 User aborted the transfer' }]);
    expect(udp.openPorts()).toEqual([69]);
    taken();
    clock.advance(60_000);
    expect(taken()).toEqual([]);
  });

  test('a repeated request changes nothing, before and after the first block', async () => {
    const { request, send, taken, udp } = setUp({ file: text(2000) });
    await request('file');
    await request('file');
    expect(taken()).toHaveLength(1);
    send(encodeAck(1));
    await request('file');
    expect(blocksOf(taken())).toEqual([2]);
    expect(udp.openPorts()).toHaveLength(2);
  });

  test('another request from the same port takes the place of the first', async () => {
    const { request, send, taken, events } = setUp({ one: text(2000), two: text(100) });
    await request('one');
    await request('two');
    expect(events).toMatchObject([{ file: 'one', outcome: 'aborted' }]);
    taken();
    send(encodeAck(1));
    expect(events[1]).toMatchObject({ file: 'two', outcome: 'complete' });
  });

  test('a guest reset in mid-transfer may ask again from its old port', async () => {
    const { request, send, taken, clock } = setUp({ file: text(2000) });
    await request('file');
    send(encodeAck(1));
    clock.advance(1500);
    taken();
    await request('file');
    expect(blocksOf(taken())).toEqual([1]);
  });

  test('transfers at once are bounded', async () => {
    const { request, udp, events } = setUp({ file: text(2000) });
    for (let port = 1000; port < 1100; port++) await request('file', {}, { ...guest, port });
    expect(udp.openPorts()).toHaveLength(1 + 16);
    expect(events).toHaveLength(84);
    expect(events[0]).toMatchObject({ outcome: 'refused', note: '16 transfers are under way' });
  });

  test('one whose guest has gone silent makes room for another', async () => {
    const { request, send, taken, clock, udp, events } = setUp({ file: text(2000), other: text(100) });
    for (let port = 1000; port < 1016; port++) await request('file', {}, { ...guest, port });
    taken();
    clock.advance(1100);
    await request('other');
    expect(events).toMatchObject([{ file: 'file', outcome: 'aborted', note: expect.stringContaining('silent') }]);
    expect(udp.openPorts()).toHaveLength(1 + 16);
    send(encodeAck(1));
    expect(events.at(-1)).toMatchObject({ file: 'other', outcome: 'complete' });
  });

  test('files looked up at once are bounded, also for requests that take the place of others', async () => {
    let lookups = 0;
    const tree = { lookup: () => new Promise<never>(() => lookups++) };
    const events: UntimedEvent[] = [];
    const udp = createMemoryEndpoint(() => {});
    startTftp(udp, { tree, emit: (event) => events.push(event), clock: createManualClock() });
    for (let index = 0; index < 1000; index++) {
      udp.deliver(guest, 69, encodeRequest({ kind: 'rrq', file: `${index}`, mode: 'octet', options: new Map() }));
    }
    expect(lookups).toBe(16);
    expect(udp.openPorts()).toEqual([69]);
  });
});

describe('a fault of the server ends its case, and nothing else', () => {
  /** A server whose look-ups give `entry` and whose sending fails once asked to. */
  async function start(lookup: () => Promise<ServedEntry>) {
    let failing = false;
    const events: UntimedEvent[] = [];
    const clock = createManualClock();
    const udp = createMemoryEndpoint(() => {
      if (failing) throw new Error('the link is gone');
    });
    startTftp(udp, { tree: { lookup }, emit: (event) => events.push(event), clock });
    udp.deliver(guest, 69, encodeRequest({ kind: 'rrq', file: 'f', mode: 'octet', options: new Map() }));
    await nextTurn();
    failing = true;
    return { events, clock };
  }
  const faultOf = (events: readonly UntimedEvent[]) =>
    events.flatMap((event) => (event.type === 'infrastructure' ? [event.message] : []));

  test('in a look-up', async () => {
    const { events } = await start(() => Promise.reject(new Error('no tree')));
    expect(faultOf(events)).toEqual([expect.stringMatching(/^a TFTP transfer failed: Error: no tree/)]);
  });

  test('in a timer', async () => {
    const { events, clock } = await start(async () => memoryEntry('f', Buffer.alloc(2000)));
    expect(faultOf(events)).toEqual([]);
    clock.advance(5000);
    expect(faultOf(events)).toEqual([expect.stringMatching(/^a TFTP timer failed: Error: the link is gone/)]);
  });

  test('once a piece of the file is there', async () => {
    let arrive = (_copied: number): void => {};
    const read = () => new Promise<number>((resolve) => (arrive = resolve));
    const { events } = await start(async () => ({ ...memoryEntry('f', Buffer.alloc(2000)), read }));
    arrive(512);
    await nextTurn();
    expect(faultOf(events)).toEqual([expect.stringMatching(/^a TFTP transfer failed: Error: the link is gone/)]);
  });
});

describe('refusals', () => {
  test.each([
    { file: 'absent', code: 1, outcome: 'not-found' },
    { file: '../file', code: 2, outcome: 'refused' },
    { file: 'moved', code: 1, outcome: 'not-found' },
  ])('$file', async ({ file, code, outcome }) => {
    const { request, taken, events } = setUp({ file: text(10), moved: { redirect: 'file' } });
    await request(file);
    expect(taken()).toMatchObject([{ kind: 'error', code }]);
    expect(events).toMatchObject([{ outcome, bytes: 0 }]);
  });

  test('writing is an access violation', async () => {
    const { udp, taken, events } = setUp({ file: text(10) });
    udp.deliver(guest, 69, encodeRequest({ kind: 'wrq', file: 'file', mode: 'octet', options: new Map() }));
    expect(taken()).toMatchObject([{ kind: 'error', code: 2 }]);
    expect(events).toMatchObject([{ outcome: 'refused', note: 'a write request' }]);
  });

  test('netascii is converted, mail is refused', async () => {
    const { request, taken } = setUp({ file: { text: 'a\nb\rc' } });
    await request('file', { tsize: '0' }, guest, 'NetASCII');
    expect(taken()).toEqual([{ kind: 'oack', options: new Map([['tsize', '7']]) }]);
    await request('file', {}, guest, 'netascii');
    expect(taken()).toMatchObject([{ kind: 'data', data: Buffer.from('a\r\nb\r\0c') }]);
    await request('file', {}, { ...guest, port: 9 }, 'mail');
    expect(taken()).toMatchObject([{ kind: 'error', code: 4 }]);
  });

  test('a name that is not UTF-8 is an illegal operation', () => {
    const { udp, taken } = setUp({});
    udp.deliver(guest, 69, Buffer.from('0001ff00004f4354455400', 'hex'));
    expect(taken()).toMatchObject([{ kind: 'error', code: 4 }]);
  });

  test('what is not a request, or not a packet at all, is dropped', async () => {
    const { udp, request, send, taken, events } = setUp({ file: text(2000) });
    for (const hex of ['', '00', '0003', '00040001', '0005', 'ffff']) udp.deliver(guest, 69, Buffer.from(hex, 'hex'));
    expect(taken()).toEqual([]);
    await request('file');
    taken();
    for (const hex of ['', '00', '0004', '000400', '0005', '000300010203', '0006', 'ffff0001'])
      send(Buffer.from(hex, 'hex'));
    expect(taken()).toEqual([]);
    expect(events).toEqual([]);
  });

  test('closing ends transfers in progress and sends no more', async () => {
    const { request, server, taken, clock, events, udp } = setUp({ file: text(2000) });
    await request('file');
    taken();
    server.close();
    clock.advance(60_000);
    expect(taken()).toEqual([]);
    expect(udp.openPorts()).toEqual([]);
    expect(events).toMatchObject([{ outcome: 'aborted', note: 'the server was closed' }]);
  });
});
