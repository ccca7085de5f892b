import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { encodeError, encodeOack } from '../../harness/wire/codecs/tftp.ts';
import { createTftpSniffer } from '../../harness/wire/sniff/tftp.ts';
import { encodeAck, encodeData, encodeRequest } from './client-packets.ts';

interface Captured {
  from: 'guest' | 'server';
  guestPort: number;
  serverPort: number;
  hex: string;
  dataBytes?: number;
}

function sniff(packets: readonly Captured[]): UntimedEvent[] {
  const events: UntimedEvent[] = [];
  const sniffer = createTftpSniffer(
    () => 0,
    (event) => events.push(event),
  );
  for (const { from, guestPort, serverPort, hex, dataBytes = 0 } of packets) {
    const payload = Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(dataBytes)]);
    sniffer.datagram({ from, guestPort, serverPort, ipVersion: 4, payload });
  }
  return events;
}

/** One readable line per event. */
function summary(events: readonly UntimedEvent[]): string[] {
  return events.map((event) => {
    if (event.type === 'tftp-complete') return `${event.file}: ${event.bytes} in ${event.blocks}`;
    if (event.type === 'tftp-error') return `${event.file}: ${event.from} says ${event.code}`;
    return 'file' in event ? `${event.type} ${event.file}` : event.type;
  });
}

const capture = (name: string): Captured[] =>
  JSON.parse(readFileSync(new URL(`../../fixtures/captures/tftp/${name}.json`, import.meta.url), 'utf8')).packets;

describe('real boots', () => {
  test('iPXE fetches undionly.kpxe twice', () => {
    const one = ['tftp-request undionly.kpxe', 'tftp-oack undionly.kpxe', 'undionly.kpxe: 74213 in 52'];
    expect(summary(sniff(capture('seabios-undionly')))).toEqual([...one, ...one]);
  });

  test('OVMF probes the size, then fetches; snponly.efi comes back from the same port', () => {
    const events = summary(sniff(capture('ovmf-snponly')));
    const whole = ['tftp-request snponly.efi', 'tftp-oack snponly.efi', 'snponly.efi: 173792 in 122'];
    const probe = ['tftp-request snponly.efi', 'tftp-oack snponly.efi', 'snponly.efi: guest says 8'];
    expect(events).toEqual([...probe, ...whole, ...whole, ...whole]);
  });

  test('pxelinux searches its configuration', () => {
    const events = summary(sniff(capture('seabios-pxelinux')));
    expect(events.filter((line) => line.endsWith('server says 1'))).toHaveLength(9);
    expect(events).toContain('ldlinux.c32: 119524 in 85');
    expect(events.at(-1)).toBe('pxelinux.cfg/default: 19 in 1');
  });

  test('GRUB asks with a leading slash', () => {
    const events = summary(sniff(capture('ovmf-grub')));
    expect(events[0]).toBe('tftp-request grub/x86_64-efi/command.lst');
    expect(events.at(-1)).toBe('grub/grub.cfg: 11 in 1');
  });
});

test('blocks sent again are counted, and a script is seen to be one', () => {
  const script = Buffer.from(`#!ipxe\n${'#'.repeat(600)}`);
  const of = (from: 'guest' | 'server', packet: Buffer): Captured => ({
    from,
    guestPort: 2000,
    serverPort: from === 'guest' && packet[1] === 1 ? 69 : 3000,
    hex: packet.toString('hex'),
  });
  const first = of('server', encodeData(1, script.subarray(0, 512)));
  const second = of('server', encodeData(2, script.subarray(512)));
  const rrq = encodeRequest({ kind: 'rrq', file: 'x', mode: 'octet', options: new Map() });
  const events = sniff([
    of('guest', rrq),
    first,
    first,
    of('guest', encodeAck(1)),
    second,
    first,
    second,
    of('guest', encodeAck(2)),
  ]);
  expect(events.at(-1)).toMatchObject({ type: 'tftp-complete', blocks: 2, repeats: 3, image: 'ipxe-script' });
});

describe('a receiver that stalls', () => {
  const stalled = capture('ovmf-i8255x-stalled');
  const events = (packets: readonly Captured[]) => sniff(packets).filter(({ type }) => type === 'tftp-stalled');

  test('is reported once, with the block that it repeats', () => {
    expect(events(stalled)).toEqual([
      { source: 'wire', type: 'tftp-stalled', file: 'linux-x64.efi', port: 1594, block: 16 },
    ]);
  });

  test('is not one where the next block does not come to it', () => {
    const block17 = ({ hex }: Captured) => hex === '00030011';
    expect(stalled.some(block17)).toBe(true);
    expect(events(stalled.filter((packet) => !block17(packet)))).toEqual([]);
  });

  test('is not one that gets through', () => {
    for (const name of ['seabios-undionly', 'ovmf-snponly', 'ovmf-grub']) expect(events(capture(name))).toEqual([]);
  });
});

describe('evidence', () => {
  const rrq = encodeRequest({ kind: 'rrq', file: 'f', mode: 'octet', options: new Map([['tsize', '0']]) });
  const full = Buffer.alloc(512);
  const tail = Buffer.alloc(10);
  const run = (steps: readonly ['guest' | 'server', number, Buffer][]) =>
    summary(
      sniff(
        steps.map(([from, serverPort, payload]) => ({
          from,
          guestPort: 2000,
          serverPort,
          hex: payload.toString('hex'),
        })),
      ),
    );

  test('the last block must be acknowledged', () => {
    const steps: ['guest' | 'server', number, Buffer][] = [
      ['guest', 69, rrq],
      ['server', 5000, encodeData(1, full)],
      ['guest', 5000, encodeAck(1)],
      ['server', 5000, encodeData(2, tail)],
    ];
    expect(run(steps)).toEqual(['tftp-request f']);
    expect(run([...steps, ['guest', 5000, encodeAck(1)]])).toEqual(['tftp-request f']);
    expect(run([...steps, ['guest', 5000, encodeAck(2)]])).toEqual(['tftp-request f', 'f: 522 in 2']);
  });

  test('repeated blocks, blocks after a gap and the size in the OACK do not count', () => {
    const events = run([
      ['guest', 69, rrq],
      ['server', 5000, encodeOack(new Map([['tsize', '999999']]))],
      ['server', 5000, encodeOack(new Map([['tsize', '999999']]))],
      ['server', 5000, encodeData(1, full)],
      ['server', 5000, encodeData(1, full)],
      ['server', 5000, encodeData(3, tail)],
      ['guest', 5000, encodeAck(3)],
      ['server', 5000, encodeData(2, full)],
      ['server', 5000, encodeData(3, tail)],
      ['guest', 5000, encodeAck(3)],
      ['server', 5000, encodeData(3, tail)],
      ['guest', 5000, encodeAck(3)],
    ]);
    expect(events).toEqual(['tftp-request f', 'tftp-oack f', 'f: 1034 in 3']);
  });

  test('a second answer to a repeated request does not disturb the first', () => {
    const events = run([
      ['guest', 69, rrq],
      ['guest', 69, rrq],
      ['server', 5000, encodeData(1, full)],
      ['server', 5001, encodeData(1, full)],
      ['guest', 5000, encodeAck(1)],
      ['guest', 5001, encodeError(5, 'Unknown transfer ID')],
      ['server', 5000, encodeData(2, tail)],
      ['guest', 5000, encodeAck(2)],
    ]);
    expect(events).toEqual(['tftp-request f', 'f: guest says 5', 'f: 522 in 2']);
  });

  test('what no one asked for is ignored', () => {
    const steps: ['guest' | 'server', number, Buffer][] = [
      ['server', 5000, encodeData(1, tail)],
      ['guest', 5000, encodeAck(1)],
      ['server', 5000, encodeError(1, 'no')],
      ['guest', 69, Buffer.alloc(0)],
      ['guest', 5000, Buffer.from([0])],
    ];
    expect(run(steps)).toEqual([]);
    expect(run([['guest', 69, rrq.subarray(0, 5)]])).toEqual(['malformed']);
  });

  test('a flood of requests does not push out the read in progress', () => {
    const ports = Array.from({ length: 500 }, (_, at) => 3000 + at);
    const packets: Captured[] = [
      { from: 'guest', guestPort: 2000, serverPort: 69, hex: rrq.toString('hex') },
      { from: 'server', guestPort: 2000, serverPort: 5000, hex: '00030001', dataBytes: 512 },
      ...ports.flatMap((guestPort): Captured[] => [
        { from: 'guest', guestPort, serverPort: 69, hex: rrq.toString('hex') },
        { from: 'server', guestPort, serverPort: 6000, hex: '00030001', dataBytes: 512 },
        { from: 'guest', guestPort: 2000, serverPort: 5000, hex: '00040001' },
      ]),
      { from: 'server', guestPort: 2000, serverPort: 5000, hex: '00030002', dataBytes: 1 },
      { from: 'guest', guestPort: 2000, serverPort: 5000, hex: '00040002' },
    ];
    expect(summary(sniff(packets)).at(-1)).toBe('f: 513 in 2');
  });
});
