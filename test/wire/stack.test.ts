import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import type { Datagram } from '../../harness/wire/stack/udp-endpoint.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { guest, icmpFrame, ipv6, MemoryLink, network, server, udpFrame } from './frames.ts';

function start(extra: { ipv6?: typeof ipv6 } = {}) {
  const nic = new MemoryLink();
  const events: UntimedEvent[] = [];
  const wire = createWire({
    network: { ...network, ...extra },
    nic,
    emit: (event) => events.push(event),
    now: () => 5,
  });
  return { nic, events, wire };
}

const linkLocal = { mac: guest.mac, ip: 'fe80::5054:ff:fe12:3456' };
const serverLinkLocal = { mac: server.mac, ip: 'fe80::5054:ff:fe00:1' };
const broadcast = { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' };
const arpFor = (target: string) =>
  Buffer.from(`ffffffffffff525400123456080600010800060400015254001234560a00020f000000000000${target}`, 'hex');

describe('IPv4', () => {
  test('ARP is answered for the server only', () => {
    const { nic, events } = start();
    nic.deliver(arpFor('0a000203'));
    expect(nic.sent).toEqual([]);
    nic.deliver(arpFor('0a000202'));
    expect(nic.sent.map((frame) => frame.toString('hex'))).toEqual([
      '525400123456525400000001080600010800060400025254000000010a0002025254001234560a00020f',
    ]);
    expect(events.at(-1)).toEqual({
      source: 'wire',
      type: 'arp',
      from: 'server',
      op: 'reply',
      senderIp: '10.0.2.2',
      targetIp: '10.0.2.15',
    });
  });

  test('another host answers ARP for an address that a fault has occupied, and a probe of it is told once', () => {
    const { nic, wire } = start();
    let probes = 0;
    wire.occupy('10.0.2.15', () => probes++);
    nic.deliver(arpFor('0a000202'));
    expect(probes).toBe(0);
    nic.sent.length = 0;
    for (let asked = 0; asked < 2; asked++) nic.deliver(arpFor('0a00020f'));
    const [reply] = nic.sent.map((frame) => frame.toString('hex'));
    expect(reply).toBe('525400123456525400fefefe0806000108000604000252' + '5400fefefe0a00020f5254001234560a00020f');
    expect([nic.sent.length, probes]).toEqual([2, 1]);
  });

  test('a ping is answered with its own data', () => {
    const { nic } = start();
    nic.deliver(icmpFrame(guest, server, Buffer.from([8, 0, 0, 0, 0, 7, 0, 1, 0xab, 0xcd, 0xef])));
    expect(nic.sent).toEqual([icmpFrame(server, guest, Buffer.from([0, 0, 0, 0, 0, 7, 0, 1, 0xab, 0xcd, 0xef]))]);
  });

  test('a datagram reaches its port with its peer, and the answer is one that dissects', () => {
    const { nic, wire } = start();
    const seen: Datagram[] = [];
    const port = wire.udp.bind(69, (datagram) => {
      seen.push({ ...datagram, payload: Buffer.from(datagram.payload) });
      port.send(Buffer.from('odd'), datagram.from);
    });
    nic.deliver(udpFrame(guest, server, 2070, 69, Buffer.from('hello')));
    expect(seen).toEqual([
      { from: { ...guest, port: 2070 }, to: { ip: '10.0.2.2', port: 69 }, payload: Buffer.from('hello') },
    ]);
    expect(nic.sent).toEqual([udpFrame(server, guest, 69, 2070, Buffer.from('odd'))]);
    expect(dissect(nic.sent[0]!, true)).toMatchObject({ kind: 'udp' });
  });

  test('a client without an address broadcasts and is answered by broadcast', () => {
    const { nic, wire } = start();
    const port = wire.udp.bind(67, ({ from }) => port.send(Buffer.from('offer'), from));
    nic.deliver(udpFrame({ mac: guest.mac, ip: '0.0.0.0' }, broadcast, 68, 67, Buffer.from('discover')));
    expect(nic.sent).toEqual([udpFrame(server, broadcast, 67, 68, Buffer.from('offer')).fill(0xff, 0, 6)]);
  });

  test('an offer can go to an address the client does not have yet, at its MAC or to all', () => {
    const { nic, wire } = start();
    const port = wire.udp.bind(67, () => {});
    port.send(Buffer.from('offer'), { ...guest, port: 68 });
    port.send(Buffer.from('offer'), { mac: broadcast.mac, ip: guest.ip, port: 68 });
    port.send(Buffer.from('offer'), { mac: '', ip: guest.ip, port: 68 });
    const frame = udpFrame(server, guest, 67, 68, Buffer.from('offer'));
    expect(nic.sent).toEqual([frame, Buffer.from(frame).fill(0xff, 0, 6), frame]);
  });

  test('what is for another host or an unbound port is ignored', () => {
    const { nic, wire } = start();
    let seen = 0;
    wire.udp.bind(69, () => seen++);
    nic.deliver(udpFrame(guest, { mac: server.mac, ip: '10.0.2.3' }, 2070, 69, Buffer.from('x')));
    nic.deliver(udpFrame(guest, { mac: '52:54:00:00:00:99', ip: server.ip }, 2070, 69, Buffer.from('x')));
    nic.deliver(udpFrame(guest, server, 2070, 70, Buffer.from('x')));
    expect([seen, nic.sent]).toEqual([0, []]);
  });

  test('ports: one listener each, freed by close, ephemeral ones all different', () => {
    const { nic, wire } = start();
    const port = wire.udp.bind(69, () => {});
    expect(() => wire.udp.bind(69, () => {})).toThrow('UDP port 69 of the wire is already bound');
    port.close();
    port.send(Buffer.from('late'), { ...guest, port: 1 });
    expect(nic.sent).toEqual([]);
    const ports = Array.from({ length: 100 }, () => wire.udp.bindEphemeral(() => {}).port);
    expect(new Set(ports).size).toBe(100);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(49_152);
    wire.udp.bind(69, () => {});
  });

  test('a payload larger than the MTU is dropped and reported', () => {
    const { nic, wire, events } = start();
    const port = wire.udp.bind(69, () => {});
    port.send(Buffer.alloc(wire.udp.maxPayloadBytes), { ...guest, port: 1 });
    port.send(Buffer.alloc(wire.udp.maxPayloadBytes + 1), { ...guest, port: 1 });
    expect(nic.sent.map((frame) => frame.length)).toEqual([1514]);
    expect(events.at(-1)).toMatchObject({ type: 'malformed', from: 'server', layer: 'udp' });
  });

  test('a service that throws ends in an event, not in the run', () => {
    const { nic, wire, events } = start();
    wire.udp.bind(69, () => {
      throw new Error('a bug');
    });
    nic.deliver(udpFrame(guest, server, 2070, 69, Buffer.from('x')));
    expect(events.at(-1)).toMatchObject({ source: 'run', type: 'infrastructure', code: 'internal' });
  });
});

describe('IPv6', () => {
  const routerSolicitation = icmpFrame(
    linkLocal,
    { mac: '33:33:00:00:00:02', ip: 'ff02::2' },
    Buffer.from([133, 0, 0, 0, 0, 0, 0, 0]),
  );
  const sourceOption = '0101525400000001';
  const prefix = (flags: string) => `030440${flags}000151800000384000000000fd000000000000000000000000000000`;

  test.each([
    ['without IPv6 there is no router, and it is said at once', {}, `86000000400000000000000000000000${sourceOption}`],
    [
      'addresses are made from the prefix, options are asked for',
      { ipv6 },
      `86000000404007080000000000000000${sourceOption}${prefix('c0')}`,
    ],
    [
      'addresses come from DHCPv6',
      { ipv6: { ...ipv6, managed: true } },
      `8600000040c007080000000000000000${sourceOption}${prefix('80')}`,
    ],
  ])('%s', (_name, extra, message) => {
    const { nic, events } = start(extra);
    nic.deliver(routerSolicitation);
    expect(nic.sent).toEqual([icmpFrame(serverLinkLocal, linkLocal, Buffer.from(message, 'hex'))]);
    expect(events).toMatchObject([
      { type: 'icmpv6', from: 'guest', kind: 'router-solicitation' },
      { type: 'icmpv6', from: 'server', kind: 'router-advertisement' },
    ]);
  });

  test('a solicitation from no address is answered to all nodes', () => {
    const { nic } = start();
    nic.deliver(
      icmpFrame(
        { mac: guest.mac, ip: '::' },
        { mac: '33:33:00:00:00:02', ip: 'ff02::2' },
        Buffer.from([133, 0, 0, 0, 0, 0, 0, 0]),
      ),
    );
    expect(nic.sent[0]!.toString('hex', 0, 6)).toBe('333300000001');
    expect(nic.sent[0]!.toString('hex', 38, 54)).toBe('ff020000000000000000000000000001');
  });

  const solicitationOf = (target: string) => Buffer.from(`8700000000000000${target}0101525400123456`, 'hex');

  test('neighbours learn the MAC of the server, and of nobody else', () => {
    const { nic, events } = start({ ipv6 });
    const group = { mac: '33:33:ff:00:00:02', ip: 'ff02::1:ff00:2' };
    nic.deliver(icmpFrame(linkLocal, group, solicitationOf('fd000000000000000000000000000003')));
    expect(nic.sent).toEqual([]);
    const target = 'fd000000000000000000000000000002';
    nic.deliver(icmpFrame(linkLocal, group, solicitationOf(target)));
    const advertisement = Buffer.from(`88000000e0000000${target}0201525400000001`, 'hex');
    expect(nic.sent).toEqual([icmpFrame({ mac: server.mac, ip: 'fd00::2' }, linkLocal, advertisement)]);
    expect(events.at(-1)).toMatchObject({ kind: 'neighbor-advertisement', target: 'fd00::2' });
  });

  test('another host answers for an address that a fault has occupied, and a guest that probes it hears so', () => {
    const { nic, wire } = start({ ipv6 });
    const target = 'fd00000000000000000000000000000f';
    const probe = solicitationOf(target).subarray(0, 24);
    const probed = () =>
      nic.deliver(icmpFrame({ ...linkLocal, ip: '::' }, { mac: '33:33:ff:00:00:0f', ip: 'ff02::1:ff00:f' }, probe));
    probed();
    expect(nic.sent).toEqual([]);
    let probes = 0;
    wire.occupy('fd00::f', () => probes++);
    expect(probes).toBe(0);
    probed();
    expect(probes).toBe(1);
    const advertisement = Buffer.from(`8800000020000000${target}0201525400fefefe`, 'hex');
    const allNodes = { mac: '33:33:00:00:00:01', ip: 'ff02::1' };
    expect(nic.sent).toEqual([icmpFrame({ mac: '52:54:00:fe:fe:fe', ip: 'fd00::f' }, allNodes, advertisement)]);
  });

  test('a ping is answered', () => {
    const { nic } = start();
    nic.deliver(icmpFrame(linkLocal, serverLinkLocal, Buffer.from([128, 0, 0, 0, 0, 1, 0, 2, 9])));
    expect(nic.sent).toEqual([icmpFrame(serverLinkLocal, linkLocal, Buffer.from([129, 0, 0, 0, 0, 1, 0, 2, 9]), 64)]);
  });

  test('DHCPv6 is heard on its group, and UDP answered from the address that fits', () => {
    const { nic, wire } = start({ ipv6 });
    const seen: Datagram[] = [];
    const port = wire.udp.bind(547, (datagram) => {
      seen.push(datagram);
      port.send(Buffer.from('reply'), datagram.from);
    });
    nic.deliver(udpFrame(linkLocal, { mac: '33:33:00:01:00:02', ip: 'ff02::1:2' }, 546, 547, Buffer.from('solicit')));
    const routable = { mac: guest.mac, ip: 'fd00::f' };
    nic.deliver(udpFrame(routable, { mac: server.mac, ip: 'fd00::2' }, 546, 547, Buffer.from('request')));
    expect(seen).toMatchObject([
      { from: { ...linkLocal, port: 546 }, to: { ip: 'ff02::1:2', port: 547 } },
      { from: { ...routable, port: 546 }, to: { ip: 'fd00::2', port: 547 } },
    ]);
    expect(nic.sent).toEqual([
      udpFrame(serverLinkLocal, linkLocal, 547, 546, Buffer.from('reply')),
      udpFrame({ mac: server.mac, ip: 'fd00::2' }, routable, 547, 546, Buffer.from('reply')),
    ]);
  });
});

test('an ARP flood is not a flood of events', () => {
  const { nic, events } = start();
  for (let host = 0; host < 5000; host++) nic.deliver(arpFor(`0a00${(host + 0x1000).toString(16)}`));
  expect(events.length).toBeLessThanOrEqual(256);
});
