import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import {
  formatIpv4Address,
  formatIpv6Address,
  formatMac,
  parseIpv4Address,
  parseIpv6Address,
  parseMac,
} from '../../harness/wire/codecs/addresses.ts';
import { adjustChecksum, finishChecksum, sumBytes } from '../../harness/wire/codecs/checksum.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import { randomFrom } from '../../harness/wire/faults/random.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { guest, icmpFrame, ipv6, MemoryLink, network, server, tcpFrame, udpFrame } from './frames.ts';

const guest6 = { mac: guest.mac, ip: 'fd00::f' };
const server6 = { mac: server.mac, ip: 'fd00::2' };
const arpFrame = Buffer.from(
  'ffffffffffff525400123456080600010800060400015254001234560a00020f0000000000000a000202',
  'hex',
);
const solicitation = icmpFrame(
  guest6,
  { mac: '33:33:00:00:00:02', ip: 'ff02::2' },
  Buffer.from([133, 0, 0, 0, 0, 0, 0, 0]),
);

const frames: Record<string, Buffer> = {
  arp: arpFrame,
  udp: udpFrame(guest, server, 2070, 69, Buffer.from('\0\x01file\0octet\0')),
  udp6: udpFrame(guest6, server6, 546, 547, Buffer.from('odd')),
  dhcp: udpFrame(
    { mac: guest.mac, ip: '0.0.0.0' },
    { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' },
    68,
    67,
    Buffer.alloc(300, 1),
  ),
  tcp: tcpFrame({ from: 'guest', sequence: 1, data: 'GET / HTTP/1.1\r\n\r\n' }),
  tls: tcpFrame({ from: 'guest', sequence: 1, serverPort: 443, data: Buffer.from('160301000401000000', 'hex') }),
  tcp6: tcpFrame({ from: 'guest', sequence: 1, data: 'x', ends: { guest: guest6, server: server6 } }),
  icmp: icmpFrame(guest, server, Buffer.from([8, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3])),
  icmpv6: solicitation,
};

describe('checksums', () => {
  test('of the example in RFC 1071 §3', () => {
    expect(finishChecksum(sumBytes(Buffer.from('0001f203f4f5f6f7', 'hex'), 0, 8))).toBe(0x220d);
  });

  test('of a known IPv4 header', () => {
    const header = Buffer.from('450000730000400040110000c0a80001c0a800c7', 'hex');
    expect(finishChecksum(sumBytes(header, 0, 20))).toBe(0xb861);
  });

  test('after the change in RFC 1624 §4', () => {
    expect(adjustChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0);
  });

  test('agree with a whole new sum, for any change and length', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 500; round++) {
      const data = Buffer.from(Array.from({ length: 3 + Math.floor(random() * 60) }, () => Math.floor(random() * 256)));
      const before = finishChecksum(sumBytes(data, 0, data.length));
      const oldWord = data.readUInt16BE(0);
      const newWord = Math.floor(random() * 0x10000);
      data.writeUInt16BE(newWord, 0);
      const whole = finishChecksum(sumBytes(data, 0, data.length));
      expect(adjustChecksum(before, oldWord, newWord) % 0xffff).toBe(whole % 0xffff);
    }
  });
});

describe('addresses', () => {
  test.each(['::', '::1', 'fe80::5054:ff:fe12:3456', 'fd00::2', '1:0:0:2::', '2001:db8::1:0:0:1', '1:2:3:4:5:6:7:8'])(
    'IPv6 %s is read and written the same',
    (text) => expect(formatIpv6Address(parseIpv6Address(text)!, 0)).toBe(text),
  );

  test('IPv6 with an embedded dotted quad, upper case and zeros', () => {
    expect(formatIpv6Address(parseIpv6Address('0:0::FFFF:10.0.2.2')!, 0)).toBe('::ffff:a00:202');
  });

  test('IPv4 and MAC are read and written the same', () => {
    expect(formatIpv4Address(parseIpv4Address('255.10.0.1')!)).toBe('255.10.0.1');
    expect(formatMac(parseMac('52:54:00:12:34:ff')!, 0)).toBe('52:54:00:12:34:ff');
  });

  test.each(['', '1.2.3', 'fe80::1%eth0', '52:54:00', 'zz:54:00:12:34:56', '1::2::3'])('"%s" is no address', (text) => {
    expect([parseIpv4Address(text), parseIpv6Address(text), parseMac(text)]).toEqual([undefined, undefined, undefined]);
  });
});

describe('dissect', () => {
  test.each(Object.entries(frames))('%s is taken apart, with its checksums right', (name, frame) => {
    const kinds: Record<string, string> = { udp6: 'udp', tcp6: 'tcp', dhcp: 'udp', tls: 'tcp' };
    expect(dissect(frame, true)).toMatchObject({ kind: kinds[name] ?? name });
  });

  const broken: [string, Buffer, string, string][] = [
    ['a cut ARP packet', arpFrame.subarray(0, 41), 'arp', 'shorter than 28 bytes'],
    ['ARP for another network', changed(arpFrame, 17, 1), 'arp', 'not IPv4 over Ethernet'],
    ['a cut IPv4 packet', frames.udp!.subarray(0, 45), 'ipv4', 'total length beyond the frame'],
    ['a header length of 16', changed(frames.udp!, 14, 0x44), 'ipv4', 'bad header length'],
    ['a changed time to live', changed(frames.udp!, 22, 1), 'ipv4', 'wrong header checksum'],
    ['UDP longer than its packet', changed(frames.udp!, 38, 0xff), 'udp', 'length beyond the packet'],
    ['UDP shorter than its header', changed(frames.udp!, 39, 7), 'udp', 'length below 8'],
    ['a changed UDP payload', changed(frames.udp!, 45, 0xaa), 'udp', 'wrong checksum'],
    ['a TCP data offset of 16 bytes', changed(frames.tcp!, 46, 0x40), 'tcp', 'bad data offset'],
    ['a TCP data offset past the end', changed(frames.tcp!, 46, 0xf0), 'tcp', 'bad data offset'],
    ['a changed TCP sequence', changed(frames.tcp!, 40, 9), 'tcp', 'wrong checksum'],
    ['a changed echo request', changed(frames.icmp!, 44, 9), 'icmp', 'wrong checksum'],
    ['a cut IPv6 packet', frames.udp6!.subarray(0, 60), 'ipv6', 'payload length beyond the frame'],
    ['IPv6 UDP without a checksum', changed(changed(frames.udp6!, 60, 0), 61, 0), 'udp', 'no checksum over IPv6'],
    [
      'an extension header past the end',
      changed(changed(frames.icmpv6!, 20, 0), 55, 9),
      'ipv6',
      'extension header beyond the payload',
    ],
    ['a routed solicitation', changed(frames.icmpv6!, 21, 64), 'icmpv6', 'hop limit is not 255'],
    ['an IPv6 fragment', changed(frames.icmpv6!, 20, 44), 'ipv6', 'fragment'],
  ];
  test.each(broken)('%s is refused with its reason', (_name, frame, layer, reason) => {
    expect(dissect(frame, true)).toEqual({ malformed: { layer, reason } });
  });

  test('an IPv4 fragment is refused', () => {
    const fragment = changed(frames.udp!, 20, 0x20);
    fragment.writeUInt16BE(0, 24);
    fragment.writeUInt16BE(finishChecksum(sumBytes(fragment, 14, 34)), 24);
    expect(dissect(fragment, true)).toEqual({ malformed: { layer: 'ipv4', reason: 'fragment' } });
  });

  test('padding after the packet belongs to no layer', () => {
    const padded = Buffer.concat([frames.udp!, Buffer.alloc(18, 0xee)]);
    const packet = dissect(padded, true);
    expect(packet).toMatchObject({ kind: 'udp', udp: { payloadEnd: frames.udp!.length } });
  });

  test('an unknown ethertype is ignored', () => {
    expect(dissect(changed(frames.udp!, 12, 0x88), true)).toMatchObject({ kind: 'other' });
  });
});

function changed(frame: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(frame);
  copy[at] = value;
  return copy;
}

/** Cuts, changes, repeats: what a hostile guest can do to a frame, and what a broken one does. */
function mutate(frame: Buffer, random: () => number): Buffer {
  const copy = Buffer.concat([frame, Buffer.alloc(Math.floor(random() * 40))]);
  const changes = 1 + Math.floor(random() * 6);
  for (let change = 0; change < changes; change++) {
    copy[12 + Math.floor(random() * (copy.length - 12))] = Math.floor(random() * 256);
  }
  return copy.subarray(0, 14 + Math.floor(random() * (copy.length - 13)));
}

describe('mutated frames', () => {
  test('never stop the wire, and are reported without a flood', () => {
    const random = randomFrom(20_231);
    const nic = new MemoryLink();
    const uplink = new MemoryLink();
    const events: UntimedEvent[] = [];
    const wire = createWire({
      network: { ...network, ipv6 },
      nic,
      uplink,
      emit: (event) => events.push(event),
      now: () => 0,
    });
    const port = wire.udp.bind(69, ({ from, payload }) => port.send(payload, from));
    const kinds = Object.values(frames);
    for (let round = 0; round < 30_000; round++) {
      const frame = kinds[round % kinds.length]!;
      const mutated = mutate(frame, random);
      nic.deliver(mutated);
      uplink.deliver(mutated);
      nic.sent.length = 0;
      uplink.sent.length = 0;
    }
    expect(events.filter(({ source }) => source === 'run')).toEqual([]);
    expect(wire.stats.fromGuest.frames).toBe(30_000);
    const reports = events.filter((event) => event.type === 'malformed');
    expect(reports.length).toBeGreaterThan(20);
    expect(reports.length).toBeLessThan(1000);
    nic.deliver(arpFrame);
    expect(nic.sent).toHaveLength(1);
  });

  test('with right checksums, so that deeper layers see them, neither', () => {
    const random = randomFrom(99);
    const nic = new MemoryLink();
    const events: UntimedEvent[] = [];
    createWire({ network, nic, emit: (event) => events.push(event), now: () => 0 });
    for (let round = 0; round < 20_000; round++) {
      const payload = Buffer.from(Array.from({ length: Math.floor(random() * 80) }, () => Math.floor(random() * 256)));
      const ports = [67, 69, 4011, 547, 80, 443, 5000];
      const serverPort = ports[round % ports.length]!;
      nic.deliver(udpFrame(guest, server, 1000 + (round % 3), serverPort, payload));
      const sequence = Math.floor(random() * 2 ** 32);
      const flags = Math.floor(random() * 32);
      nic.deliver(tcpFrame({ from: 'guest', sequence, flags, serverPort, guestPort: round % 500, data: payload }));
      nic.sent.length = 0;
    }
    expect(events.filter(({ source }) => source === 'run')).toEqual([]);
    expect(events.length).toBeLessThan(4000);
  });
});
