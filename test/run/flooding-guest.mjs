#!/usr/bin/env node
// In QEMU's place: has its descriptors, and does with them what no guest should. FLOOD says what.
import { ftruncateSync, openSync, writeSync } from 'node:fs';

const descriptors = { nic: 3, qmp: 4, serial: 5 };
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** All of it, also to a socket that takes no more for now. */
function send(descriptor, data) {
  for (let at = 0; at < data.length; ) {
    try {
      at += writeSync(descriptor, data, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') process.exit(0);
      Atomics.wait(sleeper, 0, 0, 1);
    }
  }
}

const hex = (text) => Buffer.from(text.replace(/\s/g, ''), 'hex');
const guestMac = '525400123456';
const broadcastMac = 'ffffffffffff';

function checksum(header) {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An IPv4 datagram in its frame; a UDP checksum of 0 is none. */
function udp(mac, sourcePort, destinationPort, payload) {
  const ip = hex('4500 0000 0000 0000 4011 0000 0a00020f 0a000202');
  ip.writeUInt16BE(28 + payload.length, 2);
  ip.writeUInt16BE(checksum(ip), 10);
  const header = Buffer.alloc(8);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(destinationPort, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([hex(broadcastMac + mac), hex('0800'), ip, header, payload]);
}

function discover(number) {
  const message = Buffer.alloc(240);
  message.set([1, 1, 6, 0], 0);
  message.writeUInt32BE(number, 4);
  const mac = `5254${number.toString(16).padStart(8, '0')}`;
  hex(mac).copy(message, 28);
  message.writeUInt32BE(0x63825363, 236);
  return udp(mac, 68, 67, Buffer.concat([message, hex('350101 ff')]));
}

const readRequest = (port, file) => udp(guestMac, port, 69, Buffer.from(`\0\x01${file}\0octet\0`));
const arp = (number) =>
  hex(
    `${broadcastMac}${guestMac}0806 0001 0800 06 04 0001 ${guestMac} 0a00020f 000000000000 ${number.toString(16).padStart(8, '0')}`,
  );

/** What each kind sends next: bytes of the serial port, or frames. */
const kinds = {
  lines: () => ({ serial: 'the guest prints in a loop\r\n'.repeat(2000) }),
  'blank lines': () => ({ serial: '\n'.repeat(65_536) }),
  'cleared screens': () => ({ serial: 'netboot\u001b[2J\u001b[25;1H'.repeat(2000) }),
  discover: (number) => ({ frame: discover(number) }),
  tftp: (number) => ({ frame: readRequest(1024 + (number % 60_000), 'big') }),
  'tftp from one port': (number) => ({ frame: readRequest(2000, number % 2 ? 'big' : 'boot.ipxe') }),
  'tftp for what is not there': (number) => ({ frame: readRequest(1024 + (number % 60_000), `no-${number}`) }),
  arp: (number) => ({ frame: arp(number) }),
  runts: () => ({ frame: Buffer.alloc(1) }),
  'malformed frames': (number) => ({
    frame: Buffer.concat([hex(broadcastMac + guestMac), hex('0800'), Buffer.alloc(46, number)]),
  }),
  'closed ports': (number) => ({ frame: udp(guestMac, 5000, 1024 + (number % 60_000), Buffer.alloc(100)) }),
};

/** The log as QEMU writes it: a byte at a time. The first 64 MiB are a hole, to save time. */
function debugLog() {
  const log = openSync('firmware-debug.log', 'w');
  const hole = 64 << 20;
  ftruncateSync(log, hole);
  return (number) => void writeSync(log, '.', hole + number);
}

function framed(frame) {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(frame.length);
  return Buffer.concat([prefix, frame]);
}

if (process.env.FLOOD === 'firmware debug output') {
  const write = debugLog();
  for (let number = 0; ; number++) write(number);
}

const next = kinds[process.env.FLOOD];
for (let number = 0; ; ) {
  const frames = [];
  do {
    const { serial, frame } = next(number++);
    if (serial !== undefined) send(descriptors.serial, Buffer.from(serial));
    else frames.push(framed(frame));
  } while (frames.length > 0 && frames.length < 100);
  send(descriptors.nic, Buffer.concat(frames));
}
