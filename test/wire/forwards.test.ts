import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import type { Network } from '../../harness/model/plan.ts';
import { macAt } from '../../harness/wire/codecs/addresses.ts';
import { tcpFlags } from '../../harness/wire/codecs/tcp.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { type End, guest, MemoryLink, network, server, tcpFrame, udpFrame } from './frames.ts';

const { syn, ack } = tcpFlags;
/** Off the guest's network too: reached through a router, which is the harness. */
const theirs: End = { mac: server.mac, ip: '192.168.7.9' };
const ends = { guest, server: theirs };
const userStack: End = { mac: '52:55:0a:00:02:02', ip: server.ip };

const to = { host: '127.0.0.1', port: 8080 };
const relayed: Network = {
  ...network,
  provisioner: {
    serves: ['dhcp'],
    relay: {
      dhcp: { host: '127.0.0.1', port: 6767 },
      forward: [
        { service: 'http', address: theirs.ip, port: 8000, to },
        { service: 'tftp', address: '10.0.2.3', port: 69, to },
      ],
    },
  },
};

function start() {
  const nic = new MemoryLink();
  const uplink = new MemoryLink();
  const events: UntimedEvent[] = [];
  const wire = createWire({
    network: relayed,
    nic,
    uplink,
    tcpTargets: new Map([[80, 40_123]]),
    forwards: [{ address: theirs.ip, port: 8000, hostPort: 40_200 }],
    emit: (event) => events.push(event),
    now: () => 5,
  });
  return { nic, uplink, events, wire };
}

describe('TCP to an address that is forwarded', () => {
  test('leaves for the port that stands in for it, checksums and all, and comes back from there', () => {
    const { nic, uplink } = start();
    const opening = { from: 'guest', sequence: 7, flags: syn, data: 'odd' } as const;
    nic.deliver(tcpFrame({ ...opening, serverPort: 8000, ends }));
    expect(uplink.sent).toEqual([tcpFrame({ ...opening, serverPort: 40_200 })]);
    const answer = { from: 'server', sequence: 9, acknowledgment: 8, flags: syn | ack, data: 'hello' } as const;
    uplink.deliver(tcpFrame({ ...answer, serverPort: 40_200, ends: { guest, server: userStack } }));
    expect(nic.sent).toEqual([tcpFrame({ ...answer, serverPort: 8000, ends })]);
  });

  test.each([
    ['another port there', { serverPort: 80, ends }],
    ['that port of the harness', { serverPort: 8000 }],
    ['that port elsewhere', { serverPort: 8000, ends: { guest, server: { ...theirs, ip: '192.168.7.8' } } }],
    ['the port that stands in for it', { serverPort: 40_200, ends }],
  ])('and %s is refused', (_, where) => {
    const { nic, uplink, events } = start();
    nic.deliver(tcpFrame({ from: 'guest', sequence: 1, flags: syn, ...where }));
    expect(uplink.sent).toEqual([]);
    expect(events).toContainEqual(expect.objectContaining({ type: 'tcp-refused', port: where.serverPort }));
  });
});

describe('UDP to an address that is forwarded', () => {
  const tftp: End = { mac: server.mac, ip: '10.0.2.3' };

  test('reaches its own ports, not those of the harness, and is answered from it', () => {
    const { nic, wire } = start();
    const got: string[] = [];
    wire.udp.bind(69, () => got.push('ours'));
    const port = wire.udpAt('10.0.2.3').bind(69, ({ from, payload }) => {
      got.push(`theirs ${payload}`);
      port.send(Buffer.from('data'), from);
    });
    nic.deliver(udpFrame(guest, tftp, 2070, 69, Buffer.from('read')));
    nic.deliver(udpFrame(guest, server, 2070, 69, Buffer.from('read')));
    nic.deliver(udpFrame(guest, { ...tftp, ip: '10.0.2.4' }, 2070, 69, Buffer.from('read')));
    expect(got).toEqual(['theirs read', 'ours']);
    expect(nic.sent).toEqual([udpFrame(tftp, guest, 69, 2070, Buffer.from('data'))]);
  });

  test.each([
    ['an address on the network', '0a000203', 1],
    ['one off it', 'c0a80709', 1],
    ['an address that is not listed', '0a000204', 0],
  ])('ARP for %s has an answer: %s', (_, target, answers) => {
    const { nic } = start();
    const asking = `ffffffffffff52540012345608060001080006040001525400123456${'0a00020f'}000000000000${target}`;
    nic.deliver(Buffer.from(asking, 'hex'));
    expect(nic.sent.map((frame) => macAt(frame, 6).toString('hex'))).toEqual(Array(answers).fill('525400000001'));
  });
});
