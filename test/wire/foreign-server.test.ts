import { expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { ProvisionerService } from '../../harness/model/provisioner.ts';
import { createInjector } from '../../harness/wire/faults/injector.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { encodeAck, encodeData, encodeRequest } from '../tftp/client-packets.ts';
import { createManualClock } from '../tftp/manual-clock.ts';
import { type End, guest, icmpFrame, MemoryLink, network, server, tcpFrame, udpFrame } from './frames.ts';

const theirs: End = { mac: '52:55:0a:00:02:03', ip: '10.0.2.3' };
const broadcast: End = { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' };

function start(serves: ProvisionerService[] = ['dhcp', 'tftp'], ...faulty: object[]) {
  const nic = new MemoryLink();
  const foreign = new MemoryLink();
  const received: string[] = [];
  const provisioner = { ip: theirs.ip, serves };
  const events: UntimedEvent[] = [];
  const [emit, now] = [(event: UntimedEvent) => events.push(event), () => 5];
  const { faults } = createInjector(
    faulty.map((fault) => faultSchema.parse(fault)),
    { emit, ...createManualClock(), hasReached: () => false, takeLinkDown: () => {} },
  );
  const wire = createWire({ network: { ...network, provisioner }, nic, foreign, emit, now, faults });
  wire.udp.bind(67, ({ payload }) => received.push(payload.toString()));
  return { nic, foreign, received, events };
}

const datagram = (to: End, from: End = guest) => udpFrame(from, to, 68, 67, Buffer.from('x'));

test.each([
  ['the harness’s server', server, 0, 1],
  ['the user’s server', theirs, 1, 0],
  ['all', broadcast, 1, 1],
] as const)('what a guest sends to %s reaches those and no other', (_, to, forTheirs, forOurs) => {
  const { nic, foreign, received } = start();
  nic.deliver(datagram(to));
  expect([foreign.sent.length, received.length]).toEqual([forTheirs, forOurs]);
});

test.each([
  [67, ['tftp'], 0],
  [4011, ['tftp', 'dhcpv6'], 0],
  [67, ['proxydhcp'], 1],
  [547, ['dhcp'], 0],
  [547, ['dhcpv6'], 1],
  [69, [], 1],
] as const)('what is sent to all, to port %i, reaches a server that serves %j: %i', (port, serves, reached) => {
  const { nic, foreign } = start([...serves]);
  nic.deliver(udpFrame(guest, broadcast, 68, port, Buffer.from('x')));
  expect(foreign.sent).toHaveLength(reached);
});

test.each([
  [['router-advertisements'], 0],
  [['dhcpv6'], 1],
] as const)('a router solicitation is left to a server that serves %j', (serves, answered) => {
  const { nic, foreign } = start([...serves]);
  const linkLocal = { mac: guest.mac, ip: 'fe80::5054:ff:fe12:3456' };
  const allRouters = { mac: '33:33:00:00:00:02', ip: 'ff02::2' };
  nic.deliver(icmpFrame(linkLocal, allRouters, Buffer.from([133, 0, 0, 0, 0, 0, 0, 0])));
  expect([nic.sent.length, foreign.sent.length]).toEqual([answered, 1]);
});

test('TCP to the user’s server is not the harness’s to refuse', () => {
  const { nic, foreign } = start();
  const opening = tcpFrame({ from: 'guest', serverPort: 8080, sequence: 1, flags: 2, ends: { guest, server: theirs } });
  nic.deliver(opening);
  expect(foreign.sent).toEqual([opening]);
  expect(nic.sent).toEqual([]);
});

test('the user’s server reaches the guest and everyone, and nothing else', () => {
  const { nic, foreign, received } = start();
  const frames = [guest, broadcast, server].map((to) => datagram(to, theirs));
  for (const frame of frames) foreign.deliver(frame);
  expect(nic.sent).toEqual(frames.slice(0, 2));
  expect(received).toEqual([]);
});

test('a full link of either side stops the other until it drains', () => {
  const { nic, foreign } = start();
  nic.full = true;
  foreign.deliver(datagram(guest, theirs));
  expect(foreign.paused).toBe(true);
  nic.drain();
  expect(foreign.paused).toBe(false);
  foreign.full = true;
  nic.deliver(datagram(theirs));
  expect(nic.paused).toBe(true);
  foreign.drain();
  expect(nic.paused).toBe(false);
});

const request = udpFrame(
  guest,
  theirs,
  2070,
  69,
  encodeRequest({ kind: 'rrq', file: 'nbp', mode: 'octet', options: new Map() }),
);
const block = udpFrame(theirs, guest, 50_000, 2070, encodeData(1, Buffer.from('whole')));
const acknowledgement = udpFrame(guest, theirs, 2070, 50_000, encodeAck(1));
const seenIn = (events: readonly UntimedEvent[]) => events.map(({ type }) => type);

test('a fault loses what the user’s server sends: neither guest nor record has it, until it is sent again', () => {
  const fault = { on: 'to-guest', match: { protocol: 'tftp', message: 'data' }, drop: { first: 1 } };
  const { nic, foreign, events } = start(['tftp'], fault);
  nic.deliver(request);
  foreign.deliver(block);
  expect(nic.sent).toEqual([]);
  foreign.deliver(block);
  nic.deliver(acknowledgement);
  expect(nic.sent).toEqual([block]);
  expect(foreign.sent).toEqual([request, acknowledgement]);
  expect(seenIn(events)).toEqual(['tftp-request', 'fault', 'tftp-complete']);
  expect(events[1]).toMatchObject({ action: 'drop', direction: 'to-guest', what: 'tftp data', count: 1 });
});

test('a fault loses what the guest sends to the user’s server, and the record has it all the same', () => {
  const fault = { on: 'from-guest', match: { protocol: 'tftp', message: 'rrq' }, drop: { first: 1 } };
  const { nic, foreign, events } = start(['tftp'], fault);
  nic.deliver(request);
  expect(foreign.sent).toEqual([]);
  nic.deliver(request);
  expect(foreign.sent).toEqual([request]);
  // Asked again, it is the same request.
  expect(seenIn(events)).toEqual(['tftp-request', 'fault']);
});

test.each([
  ['doubled', { duplicate: 1 }, [block, block]],
  ['cut', { truncate: { bytes: 30 } }, [block.subarray(0, 30)]],
])('what the user’s server sends can be %s', (_, action, arrived) => {
  const { nic, foreign } = start(['tftp'], { on: 'to-guest', match: {}, ...action });
  foreign.deliver(block);
  expect(nic.sent).toEqual(arrived);
});

test('a frame to all that a fault doubles reaches both servers twice', () => {
  const { nic, foreign, received } = start(['dhcp'], { on: 'from-guest', duplicate: 1 });
  nic.deliver(datagram(broadcast));
  expect([foreign.sent.length, received.length]).toEqual([2, 2]);
});
