import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { type Direction, type Faults, inTurn } from '../../harness/wire/faults/faults.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { guest, icmpFrame, MemoryLink, network, server, udpFrame } from './frames.ts';

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
