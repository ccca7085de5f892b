import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import { encodeDhcp } from '../../harness/wire/codecs/dhcp.ts';
import { tcpFlags } from '../../harness/wire/codecs/tcp.ts';
import { encodeOack } from '../../harness/wire/codecs/tftp.ts';
import { type Direction, type Faults, inTurn } from '../../harness/wire/faults/faults.ts';
import { createInjector } from '../../harness/wire/faults/injector.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { guest, icmpFrame, MemoryLink, network, server, tcpFrame, udpFrame } from './frames.ts';

/** Faults that deliver a frame, another one in its place, or none. */
const inPlace =
  (change: (frame: Buffer, direction: Direction) => Buffer | undefined): Faults =>
  (frame, direction, deliver) => {
    const changed = change(frame, direction);
    if (changed !== undefined) deliver(changed);
  };

function start(change: Parameters<typeof inPlace>[0]) {
  const faults = inPlace(change);
  const nic = new MemoryLink();
  const events: UntimedEvent[] = [];
  const wire = createWire({ network, nic, emit: (event) => events.push(event), now: () => 5, faults });
  return { nic, events, wire };
}

const ping = (data: number) => icmpFrame(guest, server, Buffer.from([8, 0, 0, 0, 0, 7, 0, 1, data]));
const pong = (data: number) => icmpFrame(server, guest, Buffer.from([0, 0, 0, 0, 0, 7, 0, 1, data]));
/** A request for a file that is not there. */
const request = udpFrame(guest, server, 2070, 69, Buffer.from('\0\x01nbp\0octet\0'));

describe('a network with faults', () => {
  test('is one frame after another, in both directions', () => {
    const seen: [string, Direction][] = [];
    const { nic } = start((frame, direction) => {
      seen.push([frame.toString('hex'), direction]);
      return frame;
    });
    nic.deliver(ping(1));
    expect(nic.sent).toEqual([pong(1)]);
    expect(seen).toEqual([
      [ping(1).toString('hex'), 'from-guest'],
      [pong(1).toString('hex'), 'to-guest'],
    ]);
  });

  test('loses what the guest sent, and the record has it all the same', () => {
    const { nic, events, wire } = start((frame, direction) => (direction === 'from-guest' ? undefined : frame));
    let arrived = 0;
    wire.udp.bind(69, () => arrived++);
    nic.deliver(request);
    expect(arrived).toBe(0);
    expect(events).toContainEqual(expect.objectContaining({ type: 'tftp-request', file: 'nbp' }));
    expect(wire.stats.fromGuest.frames).toBe(1);
  });

  test('loses what was sent to the guest, and no record says that it arrived', () => {
    const { nic, events, wire } = start((frame, direction) => (direction === 'to-guest' ? undefined : frame));
    const port = wire.udp.bind(69, ({ from }) => port.send(Buffer.from('\0\x05\0\x01no\0', 'latin1'), from));
    nic.deliver(request);
    expect(nic.sent).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(['tftp-request']);
    expect(wire.stats.toGuest.frames).toBe(0);
  });

  test('changes a frame on its way: each end has its own', () => {
    const { nic, events } = start((frame, direction) => (direction === 'from-guest' ? ping(2) : frame));
    nic.deliver(ping(1));
    expect(nic.sent).toEqual([pong(2)]);
    expect(events).toEqual([]);
  });

  test('may damage a frame beyond recognition: it goes no further', () => {
    const { nic } = start((frame) => frame.subarray(0, 20));
    nic.deliver(ping(1));
    expect(nic.sent).toEqual([]);
  });
});

describe('what arrives at the guest', () => {
  const dhcp = (messageType: 'request' | 'ack') =>
    encodeDhcp({
      ...{ op: messageType === 'ack' ? 2 : 1, messageType, xid: 7, secs: 0, broadcast: false, mac: guest.mac },
      ...{ ciaddr: '0.0.0.0', yiaddr: guest.ip, siaddr: '0.0.0.0', giaddr: '0.0.0.0' },
      ...{ sname: '', file: '', options: new Map() },
    });
  const oack = encodeOack(new Map([['blksize', '1432']]));
  const get = { sequence: 1, acknowledgment: 1, data: 'GET /nbp HTTP/1.1\r\n\r\n' };
  const { syn, ack } = tcpFlags;
  const answers: Record<string, [event: string, asked: Buffer, port: number, answer: Buffer]> = {
    'DHCP ACK': ['dhcp', udpFrame(guest, server, 68, 67, dhcp('request')), 67, dhcp('ack')],
    OACK: ['tftp-oack', request, 69, oack],
    'HTTP response': ['http-response', tcpFrame({ from: 'guest', ...get }), 80, Buffer.from('HTTP/1.1 200 OK\r\n\r\n')],
  };

  /** What the log has of a server's one answer, which these faults meet. */
  function logged(name: string, fault: object) {
    const [type, asked, port, answer] = answers[name]!;
    const nic = new MemoryLink();
    const uplink = new MemoryLink();
    const events: UntimedEvent[] = [];
    const emit = (event: UntimedEvent) => void events.push(event);
    const late: [leave: () => void, ms: number][] = [];
    let nowMs = 5;
    const { faults } = createInjector([faultSchema.parse({ on: 'to-guest', match: { port }, ...fault })], {
      ...{ emit, now: () => nowMs, hasReached: () => false, takeLinkDown: () => {} },
      setTimer: (leave, ms) => {
        late.push([leave, ms]);
        return () => {};
      },
    });
    const wire = createWire({ network, nic, uplink, emit, now: () => 5, faults });
    if (port === 80) {
      nic.deliver(tcpFrame({ from: 'guest', sequence: 0, flags: syn }));
      uplink.deliver(tcpFrame({ from: 'server', sequence: 0, acknowledgment: 1, flags: syn | ack }));
      nic.deliver(asked);
      nic.sent.length = 0;
      const acknowledgment = 1 + get.data.length;
      uplink.deliver(tcpFrame({ from: 'server', sequence: 1, acknowledgment, data: answer }));
    } else {
      const bound = wire.udp.bind(port, ({ from }) => bound.send(answer, from));
      nic.deliver(asked);
    }
    for (const [leave, ms] of late) {
      nowMs += ms;
      leave();
    }
    const seen = events.filter((event) => event.type === type && !('from' in event && event.from === 'guest'));
    return { seen, damaged: events.filter((event) => event.type === 'malformed'), arrived: nic.sent.length };
  }

  test.each(Object.keys(answers))('does not count as %s if a fault damaged it', (name) => {
    for (let seed = 0; seed < 20; seed++) {
      const { seen, damaged, arrived } = logged(name, { corrupt: 1, seed });
      expect(seen).toEqual([]);
      expect(damaged).toMatchObject([{ from: 'server', reason: 'wrong checksum' }]);
      expect(arrived).toBe(1);
    }
  });

  test.each(Object.keys(answers))('does not count as %s if a fault cut it short', (name) => {
    const { seen, damaged } = logged(name, { truncate: { bytes: 56 } });
    expect(seen).toEqual([]);
    expect(damaged).toHaveLength(1);
  });

  test.each(Object.keys(answers))('counts as %s if it was late', (name) => {
    expect(logged(name, { delayMs: 1 }).seen).toHaveLength(1);
  });

  test('counts as it arrives if no checksum tells that it was damaged', () => {
    const sizes = new Set<unknown>();
    for (let seed = 0; seed < 20; seed++) {
      const { seen, damaged } = logged('OACK', { corrupt: 1, mendChecksum: true, seed });
      expect(damaged.filter((event) => 'reason' in event && event.reason === 'wrong checksum')).toEqual([]);
      for (const event of seen) if ('options' in event) sizes.add(JSON.stringify(event.options));
    }
    expect(sizes.size).toBeGreaterThan(2);
  });
});

test('what one set of faults leaves of a frame, the other is given', () => {
  const seen: string[] = [];
  const noting = (name: string): Faults =>
    inPlace((frame) => {
      seen.push(`${name} ${frame.length}`);
      return frame.length === 2 ? undefined : frame.subarray(1);
    });
  const delivered: number[] = [];
  const both = inTurn(noting('one'), noting('other'));
  for (const bytes of [4, 3, 2]) both?.(Buffer.alloc(bytes), 'from-guest', ({ length }) => delivered.push(length));
  expect(seen).toEqual(['one 4', 'other 3', 'one 3', 'other 2', 'one 2']);
  expect(delivered).toEqual([2]);
  const alone = noting('one');
  expect([inTurn(alone, undefined), inTurn(undefined, alone), inTurn(undefined, undefined)]).toEqual([
    alone,
    alone,
    undefined,
  ]);
});
