import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { tcpFlags } from '../../harness/wire/codecs/tcp.ts';
import type { Direction, Faults } from '../../harness/wire/faults/faults.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { guest, icmpFrame, MemoryLink, network, server, tagged, tcpFrame } from './frames.ts';

const ping = icmpFrame(guest, server, Buffer.from([8, 0, 0, 0, 0, 7, 0, 1, 0xab]));
const pong = icmpFrame(server, guest, Buffer.from([0, 0, 0, 0, 0, 7, 0, 1, 0xab]));

function start(vlan?: number, faults?: Faults) {
  const [nic, uplink] = [new MemoryLink(), new MemoryLink()];
  const events: UntimedEvent[] = [];
  const captured: string[] = [];
  const capture = {
    frame: (from: string, frame: Buffer) => void captured.push(`${from} ${frame.toString('hex')}`),
    close: async () => {},
  };
  const emit = (event: UntimedEvent) => events.push(event);
  createWire({ network: { ...network, vlan }, nic, uplink, capture, emit, now: () => 5, faults });
  return { nic, uplink, events, captured };
}

describe('a guest in the VLAN', () => {
  test('is answered there, and from then on nowhere else', () => {
    const { nic } = start(42);
    for (const frame of [ping, tagged(ping, 42), tagged(ping, 42, 5), ping]) nic.deliver(frame);
    expect(nic.sent).toEqual([pong, tagged(pong, 42), tagged(pong, 42)]);
  });

  test('has its TCP forwarded without the tag, and answered with it', () => {
    const { nic, uplink } = start(42);
    const segment = tcpFrame({ from: 'guest', sequence: 7, flags: tcpFlags.syn });
    const answer = tcpFrame({ from: 'server', sequence: 9, acknowledgment: 8, flags: tcpFlags.syn | tcpFlags.ack });
    nic.deliver(tagged(segment, 42));
    uplink.deliver(answer);
    expect(uplink.sent).toEqual([segment]);
    expect(nic.sent).toEqual([tagged(answer, 42)]);
  });

  test('is captured with its tags', () => {
    const { nic, captured } = start(42);
    nic.deliver(tagged(ping, 42));
    expect(captured).toEqual([
      `guest ${tagged(ping, 42).toString('hex')}`,
      `server ${tagged(pong, 42).toString('hex')}`,
    ]);
  });
});

describe('faults of the network', () => {
  test('meet the frames of a guest in the VLAN as they are without the tag', () => {
    const seen: [string, Direction][] = [];
    const { nic } = start(42, (frame, direction, deliver) => {
      seen.push([frame.toString('hex'), direction]);
      deliver(frame);
    });
    nic.deliver(tagged(ping, 42));
    expect(nic.sent).toEqual([tagged(pong, 42)]);
    expect(seen).toEqual([
      [ping.toString('hex'), 'from-guest'],
      [pong.toString('hex'), 'to-guest'],
    ]);
  });

  test('lose an answer in the VLAN, and neither record nor capture has it', () => {
    const { nic, captured } = start(42, (frame, direction, deliver) => direction === 'from-guest' && deliver(frame));
    nic.deliver(tagged(ping, 42));
    expect(nic.sent).toEqual([]);
    expect(captured).toEqual([`guest ${tagged(ping, 42).toString('hex')}`]);
  });

  test('lose what the guest sent into the VLAN: it is there all the same', () => {
    const { nic } = start(42, (frame, direction, deliver) => direction === 'to-guest' && deliver(frame));
    nic.deliver(tagged(ping, 42));
    // The untagged network is gone.
    nic.deliver(ping);
    expect(nic.sent).toEqual([]);
  });

  test('double what arrives: each copy has its tag', () => {
    const { nic } = start(42, (frame, direction, deliver) => {
      const second = Buffer.from(frame);
      deliver(frame);
      if (direction === 'to-guest') deliver(second);
    });
    nic.deliver(tagged(ping, 42));
    expect(nic.sent).toEqual([tagged(pong, 42), tagged(pong, 42)]);
  });
});

test.each([
  ['another VLAN', 42, tagged(ping, 43)],
  ['a VLAN where there is none', undefined, tagged(ping, 42)],
  ['a tag and nothing else', 42, tagged(ping, 42).subarray(0, 16)],
])('%s gets no answer', (_, vlan, frame) => {
  const { nic } = start(vlan);
  nic.deliver(frame);
  expect(nic.sent).toEqual([]);
});
