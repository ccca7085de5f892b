import { expect, test } from 'vitest';
import type { ProvisionerService } from '../../harness/model/provisioner.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { type End, guest, icmpFrame, MemoryLink, network, server, tcpFrame, udpFrame } from './frames.ts';

const theirs: End = { mac: '52:55:0a:00:02:03', ip: '10.0.2.3' };
const broadcast: End = { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' };

function start(serves: ProvisionerService[] = ['dhcp', 'tftp']) {
  const nic = new MemoryLink();
  const foreign = new MemoryLink();
  const received: string[] = [];
  const provisioner = { ip: theirs.ip, serves };
  const wire = createWire({ network: { ...network, provisioner }, nic, foreign, emit: () => {}, now: () => 5 });
  wire.udp.bind(67, ({ payload }) => received.push(payload.toString()));
  return { nic, foreign, received };
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
