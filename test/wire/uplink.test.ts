import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { tcpFlags } from '../../harness/wire/codecs/tcp.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { type End, guest, icmpFrame, ipv6, MemoryLink, network, server, tcpFrame, udpFrame } from './frames.ts';

const { syn, ack, rst, fin } = tcpFlags;
const userStack: End = { mac: '52:55:0a:00:02:02', ip: server.ip };
const ends6 = { guest: { mac: guest.mac, ip: 'fd00::f' }, server: { mac: server.mac, ip: 'fd00::2' } };

function start(extra: { tcpTargets?: ReadonlyMap<number, number> } = { tcpTargets: new Map([[80, 40_123]]) }) {
  const nic = new MemoryLink();
  const uplink = new MemoryLink();
  const events: UntimedEvent[] = [];
  createWire({
    network: { ...network, ipv6 },
    nic,
    uplink,
    emit: (event) => events.push(event),
    now: () => 5,
    ...extra,
  });
  return { nic, uplink, events };
}

describe('a listed port of the server', () => {
  test.each([undefined, ends6])('is forwarded to the port the host listens on, checksum and all', (ends) => {
    const { nic, uplink } = start();
    const segment = { from: 'guest', sequence: 7, flags: syn, data: 'odd', ...(ends && { ends }) } as const;
    nic.deliver(tcpFrame(segment));
    expect(nic.sent).toEqual([]);
    expect(uplink.sent).toEqual([tcpFrame({ ...segment, serverPort: 40_123 })]);
  });

  test('answers from its own port and MAC, whatever the user stack writes', () => {
    const { nic, uplink } = start();
    const answer = { from: 'server', sequence: 9, acknowledgment: 8, flags: syn | ack, data: 'hello' } as const;
    uplink.deliver(tcpFrame({ ...answer, serverPort: 40_123, ends: { guest, server: userStack } }));
    expect(nic.sent).toEqual([tcpFrame(answer)]);
  });

  test('without a target is forwarded as it is', () => {
    const { nic, uplink } = start({});
    const frame = tcpFrame({ from: 'guest', sequence: 7, flags: syn });
    nic.deliver(frame);
    expect(uplink.sent).toEqual([frame]);
  });
});

describe('any other TCP', () => {
  const cases = [
    ['an unlisted port', { serverPort: 22 }],
    ['another address', { ends: { guest, server: { mac: server.mac, ip: '192.0.2.1' } } }],
    ['another IPv6 address', { ends: { ...ends6, server: { mac: server.mac, ip: 'fd00::3' } } }],
    ['the port that the host listens on', { serverPort: 40_123 }],
  ] as const;

  test.each(cases)('%s is refused at once, and reported once', (_name, where) => {
    const { nic, uplink, events } = start();
    const opening = tcpFrame({ from: 'guest', sequence: 0xffff_ffff, flags: syn, ...where });
    nic.deliver(opening);
    nic.deliver(opening);
    const reset = tcpFrame({ from: 'server', sequence: 0, acknowledgment: 0, flags: rst | ack, ...where });
    // Windows differ: a reset has none.
    const windowless = [0, 1].map(() => withoutWindow(reset));
    expect(nic.sent.map(withoutWindow)).toEqual(windowless);
    expect(uplink.sent).toEqual([]);
    expect(events.filter(({ type }) => type === 'tcp-refused')).toHaveLength(1);
  });

  test('a segment with ACK is reset from its acknowledgment, one without is acknowledged whole', () => {
    const { nic } = start();
    nic.deliver(
      tcpFrame({ from: 'guest', serverPort: 22, sequence: 100, acknowledgment: 555, flags: ack, data: 'abc' }),
    );
    nic.deliver(tcpFrame({ from: 'guest', serverPort: 22, sequence: 100, flags: syn | fin, data: 'abc' }));
    nic.deliver(tcpFrame({ from: 'guest', serverPort: 22, sequence: 100, flags: rst }));
    expect(nic.sent.map(withoutWindow)).toEqual(
      [
        tcpFrame({ from: 'server', serverPort: 22, sequence: 555, flags: rst }),
        tcpFrame({ from: 'server', serverPort: 22, sequence: 0, acknowledgment: 105, flags: rst | ack }),
      ].map(withoutWindow),
    );
  });

  test('a port scan is refused throughout, and reported up to a bound', () => {
    const { nic, events } = start();
    for (let port = 1000; port < 4000; port++)
      nic.deliver(tcpFrame({ from: 'guest', serverPort: port, sequence: 1, flags: syn }));
    expect(nic.sent).toHaveLength(3000);
    expect(events.length).toBe(1024);
  });
});

function withoutWindow(frame: Buffer): string {
  const at = frame.readUInt16BE(12) === 0x86dd ? 54 : 34;
  return Buffer.from(frame)
    .fill(0, at + 14, at + 18)
    .toString('hex');
}

describe('the user stack', () => {
  test('learns where the guest is, and only its TCP reaches the guest', () => {
    const { nic, uplink } = start();
    uplink.deliver(udpFrame(userStack, guest, 67, 68, Buffer.alloc(300)));
    uplink.deliver(udpFrame(userStack, guest, 69, 2070, Buffer.from('x')));
    uplink.deliver(icmpFrame(userStack, guest, Buffer.from([8, 0, 0, 0, 0, 1, 0, 1])));
    const advertisement = Buffer.from('86000000400007080000000000000000', 'hex');
    uplink.deliver(
      icmpFrame({ mac: userStack.mac, ip: 'fe80::2' }, { mac: '33:33:00:00:00:01', ip: 'ff02::1' }, advertisement),
    );
    uplink.deliver(
      tcpFrame({ from: 'server', serverPort: 9999, sequence: 1, flags: ack, ends: { guest, server: userStack } }),
    );
    uplink.deliver(
      tcpFrame({ from: 'server', serverPort: 40_123, sequence: 1, flags: syn, ends: { guest, server: userStack } }),
    );
    uplink.deliver(
      Buffer.from('ffffffffffff52550a0002020806000108000604000152550a0002020a0002020000000000000a00020f', 'hex'),
    );
    expect(nic.sent).toEqual([]);
    expect(uplink.sent.map((frame) => frame.toString('hex'))).toEqual([
      '52550a000202525400123456080600010800060400025254001234560a00020f52550a0002020a000202',
    ]);
  });

  test('learns so over IPv6 too', () => {
    const { uplink } = start();
    const asker = { mac: '52:56:00:00:00:02', ip: 'fe80::2' };
    const target = 'fd00000000000000000000000000000f';
    const solicitation = Buffer.from(`8700000000000000${target}0101525600000002`, 'hex');
    uplink.deliver(icmpFrame(asker, { mac: '33:33:ff:00:00:0f', ip: 'ff02::1:ff00:f' }, solicitation));
    const advertisement = Buffer.from(`8800000060000000${target}0201525400123456`, 'hex');
    expect(uplink.sent).toEqual([icmpFrame(ends6.guest, asker, advertisement)]);
  });
});

test('a side that cannot take more stops the other, until it drains', () => {
  const { nic, uplink } = start();
  uplink.full = true;
  nic.deliver(tcpFrame({ from: 'guest', sequence: 1, data: 'x' }));
  expect(nic.paused).toBe(true);
  uplink.drain();
  expect(nic.paused).toBe(false);
  nic.full = true;
  uplink.deliver(tcpFrame({ from: 'server', serverPort: 40_123, sequence: 1, data: 'x' }));
  expect(uplink.paused).toBe(true);
  nic.drain();
  expect(uplink.paused).toBe(false);
});
