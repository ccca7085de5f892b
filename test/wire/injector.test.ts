import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { tableBounds } from '../../harness/model/bounds.ts';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Stage } from '../../harness/model/stages.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import type { Direction } from '../../harness/wire/faults/faults.ts';
import { createInjector } from '../../harness/wire/faults/injector.ts';
import { recordingOf } from '../fuzz/recorded.ts';
import { encodeAck, encodeData } from '../tftp/client-packets.ts';
import { guest, server, tcpFrame, udpFrame } from './frames.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const block = (number: number) => udpFrame(server, guest, 50_000, 2070, encodeData(number, Buffer.alloc(100, number)));
const ack = (number: number) => udpFrame(guest, server, 2070, 50_000, encodeAck(number));

function open(...faults: object[]) {
  const events: UntimedEvent[] = [];
  const reached = new Set<Stage>();
  const linkDowns: object[] = [];
  const injector = createInjector(
    faults.map((fault) => faultSchema.parse(fault)),
    {
      ...{ now: () => Date.now(), hasReached: (stage) => reached.has(stage), emit: (event) => events.push(event) },
      takeLinkDown: (fault, ms) => linkDowns.push({ fault, ms, after: numbers() }),
    },
  );
  const arrived: Buffer[] = [];
  const send = (frame: Buffer, direction: Direction = 'to-guest') =>
    injector.faults?.(frame, direction, (passed) => arrived.push(Buffer.from(passed)));
  /** The number of each block that arrived, in order. */
  const numbers = () => arrived.map((frame) => frame.readUInt16BE(14 + 20 + 8 + 2));
  return { ...injector, send, arrived, numbers, events, reached, linkDowns };
}

const sendAll = (wire: ReturnType<typeof open>, count: number) => {
  for (let number = 1; number <= count; number++) wire.send(block(number));
};

describe('a fault', () => {
  test.each<[string, object, number[]]>([
    ['the first two', { drop: { first: 2 } }, [3, 4, 5, 6]],
    ['the second', { drop: { nth: 2 } }, [1, 3, 4, 5, 6]],
    ['every third', { drop: { every: 3 } }, [1, 2, 4, 5]],
    ['all after four', { drop: { after: 4 } }, [1, 2, 3, 4]],
  ])('drops %s', (_, fault, left) => {
    const wire = open(fault);
    sendAll(wire, 6);
    expect(wire.numbers()).toEqual(left);
  });

  test('takes the link down once the frame that it counted has passed', () => {
    const wire = open({ drop: { nth: 1 } }, { on: 'to-guest', linkDownMs: { ms: 300, of: { nth: 3 } } });
    sendAll(wire, 6);
    expect(wire.linkDowns).toEqual([{ fault: 1, ms: 300, after: [2, 3, 4] }]);
  });

  test('does to the same frames the same for the same seed, and something else for another', () => {
    const losses = (seed: number) => {
      const wire = open({ drop: 0.3, seed });
      sendAll(wire, 200);
      return wire.numbers();
    };
    expect(losses(1)).toEqual(losses(1));
    expect(losses(1)).not.toEqual(losses(2));
    expect(losses(1).length).toBeGreaterThan(100);
    expect(losses(1).length).toBeLessThan(180);
  });

  test('meets only what matches: direction, protocol, message, port', () => {
    const wire = open({ on: 'from-guest', match: { protocol: 'tftp', message: 'ack', port: 50_000 }, drop: 1 });
    wire.send(block(1));
    wire.send(ack(1), 'to-guest');
    wire.send(ack(2), 'from-guest');
    wire.send(udpFrame(guest, server, 2070, 50_001, encodeAck(3)), 'from-guest');
    expect(wire.numbers()).toEqual([1, 1, 3]);
    expect(wire.events).toEqual([
      {
        ...{ source: 'wire', type: 'fault', fault: 0, action: 'drop', direction: 'from-guest', what: 'tftp ack' },
        ...{ bytes: ack(2).length, count: 1 },
      },
    ]);
  });

  test('meets only frames of a file that matches by name, of whichever transfer of TFTP', () => {
    const wire = open({ match: { protocol: 'tftp', name: 'boot/*.ipxe' }, drop: 1 });
    const pass = (port: number, name: string) => {
      wire.send(udpFrame(guest, server, port, 69, Buffer.from(`\0\x01${name}\0octet\0`)), 'from-guest');
      wire.send(udpFrame(server, guest, 50_000 + port, port, encodeData(port % 100, Buffer.alloc(10))));
    };
    wire.send(block(1));
    pass(2001, 'undionly.kpxe');
    pass(2002, '/boot/a.ipxe');
    pass(2003, 'boot/b.kpxe');
    pass(2002, 'undionly.kpxe');
    expect(wire.numbers().filter((number) => number < 100)).toEqual([1, 1, 3, 2]);
    expect(wire.events.map((event) => 'what' in event && event.what)).toEqual([
      'tftp rrq of boot/a.ipxe',
      'tftp data of boot/a.ipxe',
    ]);
  });

  test('knows a file that was asked for before it was in force', () => {
    const wire = open({ from: { stage: 'dhcp' }, on: 'to-guest', match: { name: 'nbp' }, drop: 1 });
    wire.send(udpFrame(guest, server, 2070, 69, Buffer.from('\0\x01nbp\0octet\0')), 'from-guest');
    wire.send(block(1));
    wire.reached.add('dhcp');
    wire.send(block(2));
    expect(wire.events).toMatchObject([{ what: 'tftp data of nbp' }]);
  });

  test('meets the responses to one request of an HTTP connection, and those to the next one no more', () => {
    const wire = open({ match: { protocol: 'tcp', name: 'a' }, drop: 1 });
    const segment = { sequence: 1, guestPort: 4000 };
    const fromGuest = (data: string) => wire.send(tcpFrame({ ...segment, from: 'guest', data }), 'from-guest');
    const toGuest = (data: string, guestPort = 4000) =>
      wire.send(tcpFrame({ ...segment, guestPort, from: 'server', data }));
    fromGuest('GET /a?x=1 HTTP/1.1\r\nHost: 10.0.2.2\r\n\r\n');
    toGuest('HTTP/1.1 200 OK\r\n');
    toGuest('another connection', 4001);
    fromGuest('GET /b HTTP/1.1\r\n\r\n');
    toGuest('of b');
    // Longer than a segment: not known.
    fromGuest('GET /a');
    toGuest('of what?');
    expect(wire.events.map((event) => 'what' in event && event.what)).toEqual(['tcp data of a', 'tcp data of a']);
    expect(wire.arrived).toHaveLength(5);
  });

  test('knows the files of real boots, whichever way they came, and none behind TLS', () => {
    const filesIn = (name: string) => {
      const wire = open({ match: { name: '*' }, duplicate: 1 });
      for (const { from, frame } of recordingOf(name)) wire.send(frame, from === 'guest' ? 'from-guest' : 'to-guest');
      return [...new Set(wire.events.map((event) => ('what' in event ? event.what : '')))];
    };
    expect(filesIn('bios-tftp')).toEqual(
      ['rrq', 'oack', 'ack', 'data'].map((message) => `tftp ${message} of boot.ipxe`),
    );
    expect(filesIn('bios-ipv6-http')).toContain('tcp data of boot.ipxe');
    expect(filesIn('ovmf-https').filter((what) => what.startsWith('tcp'))).toEqual([]);
  });

  test('knows the files of a bounded number of ports', () => {
    const wire = open({ on: 'to-guest', match: { name: 'nbp' }, drop: 1 });
    const request = (port: number) => udpFrame(guest, server, port, 69, Buffer.from('\0\x01nbp\0octet\0'));
    for (let port = 2070; port <= 2070 + tableBounds.namedFlows; port++) wire.send(request(port), 'from-guest');
    wire.send(block(1));
    wire.send(udpFrame(server, guest, 50_000, 2071, encodeData(1, Buffer.alloc(4))));
    expect(wire.events).toHaveLength(1);
  });

  test('begins and ends with a stage or a time', () => {
    const wire = open({ from: { stage: 'dhcp' }, until: { ms: Date.now() + 1000 }, drop: 1 });
    wire.send(block(1));
    wire.reached.add('dhcp');
    wire.send(block(2));
    vi.advanceTimersByTime(1000);
    wire.send(block(3));
    expect(wire.numbers()).toEqual([1, 3]);
  });

  test('sends twice, and the copy is a frame of its own', () => {
    const wire = open({ duplicate: { nth: 1 } });
    sendAll(wire, 2);
    expect(wire.numbers()).toEqual([1, 1, 2]);
  });

  test('swaps a frame with the next, which it does not wait for without end', () => {
    const wire = open({ reorder: { nth: 1 } });
    sendAll(wire, 3);
    expect(wire.numbers()).toEqual([2, 1, 3]);
    const last = open({ reorder: 1 });
    last.send(block(7));
    vi.advanceTimersByTime(1000);
    expect(last.numbers()).toEqual([7]);
  });

  test('delays, though the frame’s buffer is reused meanwhile', () => {
    const wire = open({ delayMs: [20, 80] });
    const frame = block(1);
    wire.send(frame);
    frame.fill(0xff);
    vi.advanceTimersByTime(19);
    expect(wire.arrived).toEqual([]);
    vi.advanceTimersByTime(61);
    expect(wire.arrived).toEqual([block(1)]);
  });

  test('holds frames to a rate, one after another', () => {
    const wire = open({ bytesPerSecond: block(1).length * 10 });
    sendAll(wire, 3);
    for (const left of [1, 2, 3]) {
      vi.advanceTimersByTime(100);
      expect(wire.numbers()).toHaveLength(left);
    }
  });

  test('damages the payload, so that the checksum is wrong, or mends it', () => {
    const wire = open({ corrupt: 1 });
    wire.send(block(1));
    expect(dissect(wire.arrived[0] as Buffer, true)).toHaveProperty('malformed.reason', 'wrong checksum');
    const silent = open({ corrupt: 1, mendChecksum: true });
    for (let number = 1; number <= 50; number++) silent.send(block(number));
    expect(silent.arrived.every((frame) => !dissect(frame, true).malformed)).toBe(true);
    expect(silent.arrived.every((frame, at) => !frame.equals(block(at + 1)))).toBe(true);
  });

  test('cuts a frame short, and drops what is longer than the MTU', () => {
    const wire = open({ truncate: { bytes: 60, of: { nth: 1 } } }, { mtu: 100 });
    sendAll(wire, 2);
    wire.send(ack(1));
    expect(wire.arrived.map(({ length }) => length)).toEqual([60, ack(1).length]);
  });

  test('holds back a bounded number of frames, and none once the case has ended', () => {
    const wire = open({ delayMs: 10 });
    sendAll(wire, 5000);
    vi.advanceTimersByTime(10);
    expect(wire.arrived).toHaveLength(1024);
    wire.send(block(1));
    wire[Symbol.dispose]();
    vi.advanceTimersByTime(10);
    expect(wire.arrived).toHaveLength(1024);
  });

  test.each([{ delayMs: 10 }, { bytesPerSecond: 10_000 }, { reorder: 1 }])(
    'ends its own case, and no other, if what a late frame does fails: %j',
    (fault) => {
      const wire = open(fault);
      wire.faults?.(block(1), 'to-guest', () => {
        throw new Error('no more memory');
      });
      expect(() => vi.advanceTimersByTime(1000)).not.toThrow();
      expect(wire.events).toContainEqual(
        expect.objectContaining({
          ...{ source: 'run', type: 'infrastructure', code: 'internal' },
          message: expect.stringMatching(/^the delivery of a late frame failed: Error: no more memory/),
        }),
      );
    },
  );

  test('says of each frame for which there was no room that it was dropped', () => {
    const wire = open({ delayMs: 10 });
    sendAll(wire, 5000);
    wire[Symbol.dispose]();
    const last = (action: string) => wire.events.findLast((event) => 'action' in event && event.action === action);
    expect(last('delayMs')).toMatchObject({ count: 1024 });
    expect(last('drop')).toMatchObject({ count: 5000 - 1024 });
  });

  test('that meets every frame does not fill the log', () => {
    const wire = open({ duplicate: 1 });
    for (let round = 0; round < 10_000; round++) wire.send(ack(1));
    wire[Symbol.dispose]();
    expect(wire.events.length).toBeLessThan(400);
    expect(wire.events.at(-1)).toMatchObject({ count: 10_000 });
  });
});

describe('faults in a matrix', () => {
  test.each<[string, object, RegExp]>([
    ['do something', { match: { protocol: 'tftp' } }, /a fault does something/],
    ['name messages of their protocol', { match: { protocol: 'tftp', message: 'offer' }, drop: 1 }, /one of rrq/],
    ['name a protocol with a message', { match: { message: 'offer' }, drop: 1 }, /a protocol that has messages/],
    [
      'name files where frames belong to one',
      { match: { protocol: 'dhcp', name: 'nbp' }, drop: 1 },
      /expected with tftp or tcp/,
    ],
    [
      'pick messages that the guest sends among those from it',
      { on: 'to-guest', match: { protocol: 'dhcp', message: 'discover' }, drop: 1 },
      /expected from-guest: dhcp discover never goes to-guest/,
    ],
    [
      'pick messages that a server sends among those to the guest',
      { on: 'from-guest', match: { protocol: 'tftp', message: 'oack' }, drop: 1 },
      /expected to-guest: tftp oack never goes from-guest/,
    ],
    [
      'pick messages of DHCPv6 that the guest sends among those from it',
      { on: 'to-guest', match: { protocol: 'dhcp6', message: 'confirm' }, drop: 1 },
      /expected from-guest: dhcp6 confirm never goes to-guest/,
    ],
    ['pick ports where there are any', { match: { protocol: 'arp', port: 67 }, drop: 1 }, /a frame of arp has none/],
    ['end after they begin', { from: { ms: 50 }, until: { ms: 50 }, drop: 1 }, /expected later than from/],
    ['end at a later stage', { from: { stage: 'nbp' }, until: { stage: 'dhcp' }, drop: 1 }, /expected later than from/],
    ['delay by something', { delayMs: [0, 0] }, /expected number to be >0/],
    ['delay by a range from least to most', { delayMs: [30, 20] }, /the shorter delay first/],
    ['mend what they damage', { mendChecksum: true, drop: 1 }, /expected with corrupt/],
    [
      'take the link down for all frames',
      { linkDownMs: 9, match: { protocol: 'tftp' } },
      /expected without linkDownMs/,
    ],
    ['take the link down of no frame', { linkDownMs: { ms: 9, of: 0 } }, /linkDownMs|>0/],
    ['take the link down for a time', { linkDownMs: 9, until: { ms: 50 } }, /expected without linkDownMs/],
    ['take the link down by themselves', { linkDownMs: 9, drop: 1 }, /expected without linkDownMs/],
    ['have probabilities up to 1', { drop: 2 }, /1/],
  ])('%s', (_, fault, reason) => {
    expect(faultSchema.safeParse(fault).error?.message).toMatch(reason);
  });

  test.each(['confirm', 'decline'])('pick a %s of DHCPv6', (message) => {
    const wire = open({ on: 'from-guest', match: { protocol: 'dhcp6', message }, drop: 1 });
    const code = { confirm: 4, decline: 9 }[message] as number;
    wire.send(udpFrame(guest, server, 546, 547, Buffer.of(code, 0, 0, 1)), 'from-guest');
    expect(wire.events).toMatchObject([{ action: 'drop', what: `dhcp6 ${message}` }]);
  });

  test.each([
    { nak: true, leaseSeconds: 5 },
    // A boot server (port 4011) is sent REQUESTs too, and gives no NAK.
    { nak: true, withoutBootFile: true, match: { message: 'request' } },
    { nak: true, otherServerId: true, match: { message: 'request' } },
    { nak: true, from: { stage: 'dhcp' }, until: { stage: 'nbp' } },
  ])('may do something to one message and something else to another: %j', (fault) => {
    expect(faultSchema.safeParse({ server: 'dhcp', ...fault }).error).toBeUndefined();
  });

  test('may do something to blocks before an error', () => {
    const fault = {
      server: 'tftp',
      errorAtBlock: 5,
      skipBlock: 4,
      otherTidAtBlock: 3,
      lengthOff: 1,
      loseLastAck: true,
    };
    expect(faultSchema.safeParse(fault).error).toBeUndefined();
  });
});
