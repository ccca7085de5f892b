import { expect, test } from 'vitest';
import { createSwitch } from '../../harness/services/provisioner/switch.ts';
import { parseMac } from '../../harness/wire/codecs/addresses.ts';
import { type End, guest, MemoryLink, udpFrame } from './frames.ts';

const theirs: End = { mac: '52:55:0a:00:02:03', ip: '10.0.2.3' };
const other: End = { mac: '52:54:00:00:00:02', ip: '10.0.2.16' };
const all: End = { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' };
const frame = (from: End, to: End) => udpFrame(from, to, 67, 68, Buffer.from('x'));

function start() {
  const server = new MemoryLink();
  const network = createSwitch(server);
  const plug = ({ mac }: End) => {
    const link = network.plug(parseMac(mac) as Buffer);
    const received: Buffer[] = [];
    link.onFrame((one) => received.push(Buffer.from(one)));
    return { link, received };
  };
  return { server, plug, one: plug(guest), two: plug(other) };
}

test('what the server sends to one guest reaches that one, and what it sends to all reaches all', () => {
  const { server, one, two } = start();
  const [toOne, toTwo, toAll, toNobody] = [guest, other, all, theirs].map((to) => frame(theirs, to)) as Buffer[];
  for (const sent of [toOne, toTwo, toAll, toNobody]) server.deliver(sent as Buffer);
  expect(one.received).toEqual([toOne, toAll]);
  expect(two.received).toEqual([toTwo, toAll]);
});

test('what a guest sends reaches the server and no other guest', () => {
  const { server, one, two } = start();
  const sent = [all, other, theirs].map((to) => frame(guest, to));
  for (const each of sent) one.link.send([each]);
  expect(server.sent).toEqual(sent);
  expect(two.received).toEqual([]);
});

test('a guest that does not read, or is unplugged, keeps nothing from another', () => {
  const { server, plug, one, two } = start();
  one.link.pause();
  server.deliver(frame(theirs, other));
  expect(server.paused).toBe(false);
  expect(two.received).toHaveLength(1);
  one.link.close();
  server.deliver(frame(theirs, all));
  expect([one.received.length, two.received.length]).toEqual([0, 2]);
  expect(server.closed).toBe(false);
  // The same machine again, as in its next boot.
  const again = plug(guest);
  server.deliver(frame(theirs, guest));
  expect(again.received).toHaveLength(1);
});

test('a full link to the server stops each guest until it drains', () => {
  const { server, one, two } = start();
  server.full = true;
  let drained = 0;
  for (const { link } of [one, two]) link.onDrain(() => drained++);
  expect(one.link.send([frame(guest, theirs)])).toBe(false);
  server.drain();
  expect(drained).toBe(2);
});

test('two guests with the same MAC are refused', () => {
  const { plug } = start();
  expect(() => plug(guest)).toThrow('two guests of the provisioner have the MAC 52:54:00:12:34:56');
});
