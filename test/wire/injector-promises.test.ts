import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { type Fault, faultSchema } from '../../harness/model/faults.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import type { Direction } from '../../harness/wire/faults/faults.ts';
import { createInjector } from '../../harness/wire/faults/injector.ts';
import { encodeAck, encodeData } from '../tftp/client-packets.ts';
import { createManualClock } from '../tftp/manual-clock.ts';
import { type End, guest, icmpFrame, ipv6, server, tcpFrame, udpFrame } from './frames.ts';

const ends6: { guest: End; server: End } = {
  guest: { ...guest, ip: ipv6.guestIp },
  server: { ...server, ip: ipv6.serverIp },
};

function open(faults: readonly Fault[]) {
  const clock = createManualClock();
  const events: UntimedEvent[] = [];
  const arrived: Record<Direction, Buffer[]> = { 'from-guest': [], 'to-guest': [] };
  const emit = (event: UntimedEvent) => void events.push(event);
  const injector = createInjector(faults, {
    ...{ now: clock.now, setTimer: clock.setTimer, hasReached: () => false, emit, takeLinkDown: () => {} },
  });
  const send = (frame: Buffer, direction: Direction = 'to-guest') =>
    injector.faults?.(Buffer.from(frame), direction, (passed) => void arrived[direction].push(Buffer.from(passed)));
  return { ...injector, send, clock, events, arrived };
}

const faultsOf = (...faults: object[]): Fault[] => faults.map((fault) => faultSchema.parse(fault));
const block = (number: number) => udpFrame(server, guest, 50_000, 2070, encodeData(number, Buffer.alloc(9, number)));
const ack = (number: number) => udpFrame(guest, server, 2070, 50_000, encodeAck(number));

describe('the same faults with the same seed', () => {
  const choice = fc.oneof(
    fc.double({ min: 0.05, max: 0.9, noNaN: true }),
    fc.integer({ min: 1, max: 6 }).chain((n) => fc.constantFrom({ first: n }, { nth: n }, { every: n }, { after: n })),
  );
  const delayMs = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant([0, 40]));
  const fault = fc
    .record(
      {
        on: fc.constantFrom('from-guest', 'to-guest'),
        match: fc.constantFrom({}, { protocol: 'tftp' }, { protocol: 'tftp', message: 'ack' }),
        seed: fc.nat({ max: 2 ** 40 }),
        ...{ drop: choice, duplicate: choice, corrupt: choice, reorder: choice },
        truncate: fc.record({ bytes: fc.integer({ min: 14, max: 60 }), of: choice }),
        delayMs,
        bytesPerSecond: fc.integer({ min: 20_000, max: 1_000_000 }),
      },
      { requiredKeys: ['seed'] },
    )
    .filter((fields) => faultSchema.safeParse(fields).success)
    .map((fields) => faultSchema.parse(fields));

  interface Sent {
    readonly direction: Direction;
    readonly waitMs: number;
  }
  /** How frames follow one another: of which direction each is, and how long after the one before. */
  const order = fc.array(
    fc.record<Sent>({ direction: fc.constantFrom('from-guest', 'to-guest'), waitMs: fc.nat({ max: 30 }) }),
    { minLength: 120, maxLength: 120 },
  );

  /** What happens to the first 40 frames of each direction, sent in this order. */
  function outcomeOf(faults: readonly Fault[], order: readonly Sent[]) {
    const { send, clock, events, arrived } = open(faults);
    const sent: Record<Direction, number> = { 'from-guest': 0, 'to-guest': 0 };
    const rest = (['from-guest', 'to-guest'] as const).flatMap((direction) =>
      Array.from({ length: 40 }, (): Sent => ({ direction, waitMs: 1 })),
    );
    for (const { direction, waitMs } of [...order, ...rest]) {
      if (sent[direction] === 40) continue;
      const number = ++sent[direction];
      send(direction === 'to-guest' ? block(number) : ack(number), direction);
      clock.advance(waitMs);
    }
    clock.advance(100_000);
    const of = (wanted: Direction) => ({
      arrived: arrived[wanted].map((frame) => frame.toString('hex')).toSorted(),
      met: events
        .flatMap((event) => (event.type === 'fault' && event.source === 'wire' ? [event] : []))
        .filter(({ direction, action }) => direction === wanted && action !== 'reorder')
        .map(({ fault, action, what, bytes }) => `${fault} ${action} ${what} ${bytes}`)
        .toSorted(),
    });
    return { 'from-guest': of('from-guest'), 'to-guest': of('to-guest') };
  }

  test('does the same to the frames of each direction, however they are spaced and interleaved', () => {
    fc.assert(
      fc.property(fc.array(fault, { minLength: 1, maxLength: 3 }), order, order, (faults, one, other) => {
        expect(outcomeOf(faults, one)).toEqual(outcomeOf(faults, other));
      }),
      { numRuns: 60 },
    );
  });

  test('loses the same frames after a delay that puts them in another order', () => {
    const faults = faultsOf({ delayMs: [0, 50] }, { drop: 0.3 });
    const spaced = (waitMs: number) => {
      const wire = open(faults);
      for (let number = 1; number <= 200; number++) {
        wire.send(block(number));
        wire.clock.advance(waitMs);
      }
      wire.clock.advance(100);
      return wire.arrived['to-guest'].map((frame) => frame.toString('hex')).toSorted();
    };
    expect(spaced(5)).toEqual(spaced(7));
    expect(spaced(5).length).toBeGreaterThan(100);
    expect(spaced(5).length).toBeLessThan(180);
  });

  test('draws for each direction, fault and seed anew', () => {
    const losses = (faults: Fault[], direction: Direction = 'to-guest') => {
      const wire = open(faults);
      for (let number = 1; number <= 200; number++) wire.send(block(number), direction);
      return wire.arrived[direction].map((frame) => frame.readUInt16BE(44));
    };
    const unlike = [
      losses(faultsOf({ drop: 0.3 })),
      losses(faultsOf({ drop: 0.3 }), 'from-guest'),
      losses(faultsOf({ drop: 0.3, seed: 2 })),
      losses(faultsOf({ drop: 0.3, seed: 2 ** 32 + 1 })),
      losses(faultsOf({ mtu: 1500 }, { drop: 0.3 })),
    ];
    expect(new Set(unlike.map(String)).size).toBe(unlike.length);
    for (const { length } of unlike) expect(Math.abs(length - 140)).toBeLessThan(35);
  });
});

test('the first frames are the first of each direction', () => {
  const wire = open(faultsOf({ drop: { first: 2 } }));
  for (const number of [1, 2, 3]) {
    wire.send(block(number));
    wire.send(ack(number), 'from-guest');
  }
  expect(wire.arrived).toEqual({ 'to-guest': [block(3)], 'from-guest': [ack(3)] });
});

describe('damage', () => {
  /** A sum of bytes by hand, in place of the codecs' (RFC 1071): over the datagram as its own lengths say. */
  function isSumRight(frame: Buffer): boolean {
    const is6 = frame.readUInt16BE(12) === 0x86dd;
    const [start, end] = is6 ? [54, 54 + frame.readUInt16BE(18)] : [34, 14 + frame.readUInt16BE(16)];
    const protocol = frame[is6 ? 20 : 23] as number;
    const pseudo = is6
      ? [...frame.subarray(22, 54), 0, 0, (end - start) >> 8, (end - start) & 0xff, 0, 0, 0, protocol]
      : protocol === 1
        ? []
        : [...frame.subarray(26, 34), 0, protocol, (end - start) >> 8, (end - start) & 0xff];
    let sum = 0n;
    [...pseudo, ...frame.subarray(start, end)].forEach((byte, at) => {
      sum += BigInt(byte) << (at % 2 === 0 ? 8n : 0n);
    });
    return sum % 0xffffn === 0n;
  }

  const echo = (type: number, data: Buffer) => Buffer.concat([Buffer.from([type, 0, 0, 0, 0, 7, 0, 1]), data]);
  const makers: Record<string, (data: Buffer) => Buffer> = {
    UDP: (data) => udpFrame(server, guest, 50_000, 2070, data),
    'UDP over IPv6': (data) => udpFrame(ends6.server, ends6.guest, 50_000, 2070, data),
    TCP: (data) => tcpFrame({ from: 'server', sequence: 1, data }),
    'TCP over IPv6': (data) => tcpFrame({ from: 'server', sequence: 1, data, ends: ends6 }),
    ICMP: (data) => icmpFrame(server, guest, echo(0, data)),
    ICMPv6: (data) => icmpFrame(ends6.server, ends6.guest, echo(129, data)),
  };
  const padded = (frame: Buffer, padding: Buffer) => Buffer.concat([frame, padding]);
  const some = { data: fc.uint8Array({ minLength: 1, maxLength: 64 }), padding: fc.uint8Array({ maxLength: 30 }) };

  test.each(Object.entries(makers))('of %s is of its payload, with a wrong checksum or a mended one', (_, make) => {
    fc.assert(
      fc.property(some.data, some.padding, fc.nat(), fc.boolean(), (data, padding, seed, isMended) => {
        const frame = padded(make(Buffer.from(data)), Buffer.from(padding));
        expect(isSumRight(frame)).toBe(true);
        const wire = open(faultsOf({ corrupt: 1, seed, ...(isMended ? { mendChecksum: true } : {}) }));
        wire.send(frame);
        const [arrived = frame] = wire.arrived['to-guest'];
        const end = frame.length - padding.length;
        expect(arrived.subarray(0, end)).not.toEqual(frame.subarray(0, end));
        expect(arrived.subarray(end)).toEqual(frame.subarray(end));
        expect(isSumRight(arrived)).toBe(isMended);
        expect(dissect(arrived, true).malformed === undefined).toBe(isMended);
        expect(wire.events).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
  });

  test('of a datagram without a checksum leaves it without one', () => {
    const frame = block(1);
    frame.writeUInt16BE(0, 40);
    const wire = open(faultsOf({ corrupt: 1, mendChecksum: true }));
    wire.send(frame);
    expect(wire.arrived['to-guest'][0]?.readUInt16BE(40)).toBe(0);
    expect(wire.arrived['to-guest'][0]).not.toEqual(frame);
  });

  test('is not done to a frame without a payload, which is not counted either', () => {
    const wire = open(faultsOf({ corrupt: { first: 1 } }));
    const bare = padded(tcpFrame({ from: 'server', sequence: 1 }), Buffer.alloc(6));
    wire.send(bare);
    expect(wire.events).toEqual([]);
    wire.send(block(1));
    expect(wire.arrived['to-guest'][0]).toEqual(bare);
    expect(wire.arrived['to-guest'][1]).not.toEqual(block(1));
    expect(wire.events).toMatchObject([{ action: 'corrupt', what: 'tftp data', count: 1 }]);
  });

  test('of ARP is of its body', () => {
    const arp = Buffer.alloc(60);
    Buffer.from('0806000108000604000152540012345600000000000000000000000000000a000202', 'hex').copy(arp, 12);
    for (let seed = 0; seed < 50; seed++) {
      const wire = open(faultsOf({ corrupt: 1, seed }));
      wire.send(arp);
      expect(wire.arrived['to-guest'][0]?.subarray(14, 42)).not.toEqual(arp.subarray(14, 42));
    }
  });
});

describe('a rate', () => {
  test('is met by each frame that it holds', () => {
    const wire = open(faultsOf({ bytesPerSecond: 1000 }));
    for (let number = 1; number <= 5; number++) wire.send(block(number));
    expect(wire.events).toMatchObject([1, 2, 3, 4, 5].map((count) => ({ action: 'bytesPerSecond', count })));
  });

  test('leaves frames in their order, by whichever timer they go', async () => {
    const faults = faultsOf({ bytesPerSecond: 400_000 });
    const arrived: number[] = [];
    const options = { now: () => performance.now(), hasReached: () => false, emit: () => {}, takeLinkDown: () => {} };
    using injector = createInjector(faults, options);
    const count = 603;
    await new Promise<void>((resolve) => {
      for (let number = 1; number <= count; number++) {
        const data = Buffer.alloc(100 + ((number * 37) % 300));
        const frame = udpFrame(server, guest, 50_000, 2070, encodeData(number, data));
        injector.faults?.(frame, 'to-guest', (passed) => {
          if (arrived.push(passed.readUInt16BE(44)) === count) resolve();
        });
      }
    });
    expect(arrived).toEqual(arrived.toSorted((one, other) => one - other));
  });

  test('drops what finds its queue full, and says so', () => {
    const wire = open(faultsOf({ bytesPerSecond: 1000 }));
    for (let number = 1; number <= 1030; number++) wire.send(block(1));
    wire[Symbol.dispose]();
    expect(wire.events.filter((event) => 'action' in event && event.action === 'drop')).toHaveLength(6);
  });
});

describe('a swap', () => {
  test('is of two frames of one direction', () => {
    const wire = open(faultsOf({ reorder: 1 }));
    wire.send(block(1));
    wire.send(ack(1), 'from-guest');
    expect(wire.events).toEqual([]);
    wire.send(block(2));
    wire.send(ack(2), 'from-guest');
    expect(wire.arrived).toEqual({ 'to-guest': [block(2), block(1)], 'from-guest': [ack(2), ack(1)] });
    expect(wire.events).toMatchObject([
      { direction: 'to-guest', count: 1 },
      { direction: 'from-guest', count: 2 },
    ]);
  });

  test('that no other frame came in time for is none', () => {
    const wire = open(faultsOf({ reorder: 1 }));
    wire.send(block(1));
    wire.clock.advance(200);
    wire.send(block(2));
    expect(wire.arrived['to-guest']).toEqual([block(1), block(2)]);
    expect(wire.events).toEqual([]);
  });
});

test('one fault comes after another: what the first holds back, the second doubles when it leaves', () => {
  const wire = open(faultsOf({ bytesPerSecond: block(1).length * 10 }, { duplicate: 1 }));
  wire.send(block(1));
  wire.send(block(2));
  wire.clock.advance(100);
  expect(wire.arrived['to-guest']).toEqual([block(1), block(1)]);
  wire.clock.advance(100);
  expect(wire.arrived['to-guest']).toEqual([block(1), block(1), block(2), block(2)]);
});
