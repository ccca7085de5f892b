import { expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { createMalformedLog } from '../../harness/wire/codecs/malformed.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import { lastFragment, mount, nfs, replies } from '../../harness/wire/codecs/rpc.ts';
import { tcpFlags } from '../../harness/wire/codecs/tcp.ts';
import { opaque, uint32s, words } from '../../harness/wire/codecs/xdr.ts';
import { randomFrom } from '../../harness/wire/faults/random.ts';
import { createSniffer } from '../../harness/wire/sniff/sniffer.ts';
import { network, type Segment, tcpFrame } from '../wire/frames.ts';
import { capturedFrames } from './captured.ts';
import { call, record, text } from './rpc-client.ts';

const { syn, ack } = tcpFlags;

function createSeeing() {
  const events: UntimedEvent[] = [];
  const emit = (event: UntimedEvent) => void events.push(event);
  const tcp = [{ port: 2049, service: 'nfs' as const }];
  const malformed = createMalformedLog(emit);
  const sniffer = createSniffer({ network: { ...network, tcp }, now: () => 5, emit, malformed });
  return { events, sniffer };
}

test("iPXE's fetch of a script, as recorded, is reported once the guest has acknowledged all of it", () => {
  const { events, sniffer } = createSeeing();
  const completions = capturedFrames().map(({ from, packet }) => {
    sniffer.packet(from, packet);
    return events.length;
  });
  expect(events).toEqual([
    { source: 'wire', type: 'nfs-lookup', file: 'boot.ipxe', status: 0, port: 2049 },
    { source: 'wire', type: 'nfs-complete', file: 'boot.ipxe', bytes: 55, port: 2049, ms: 0 },
  ]);
  // Not with the data, but with what the guest says next on that connection.
  const lastRead = capturedFrames().findLastIndex(({ from, payload }) => from === 'server' && payload.length > 150);
  expect(completions[lastRead]).toBe(1);
});

/** Positions count bytes of one connection in each direction, from near the end of the sequence space. */
function connect() {
  const { events, sniffer } = createSeeing();
  const isn = 0xffff_ff00;
  const sent = { guest: 0, server: 0 };
  const see = (segment: Segment) => {
    const packet = dissect(tcpFrame({ serverPort: 2049, ...segment }), true);
    if (packet.malformed) throw new Error(packet.malformed.reason);
    sniffer.packet(segment.from, packet);
  };
  see({ from: 'guest', sequence: isn, flags: syn });
  see({ from: 'server', sequence: isn, acknowledgment: isn + 1, flags: syn | ack });
  const put = (from: 'guest' | 'server', position: number, data: Buffer) =>
    see({ from, sequence: isn + 1 + position, data, acknowledgment: isn + 1 });
  const say = (from: 'guest' | 'server', bytes: Buffer) => {
    put(from, sent[from], bytes);
    sent[from] += bytes.length;
  };
  return {
    events,
    sent,
    put,
    asks: (...bytes: Buffer[]) => say('guest', record(Buffer.concat(bytes))),
    answers: (xid: number, ...bytes: Buffer[]) =>
      say('server', record(Buffer.concat([uint32s(xid, ...replies.success), ...bytes]))),
    acknowledges: (position = sent.server) =>
      see({ from: 'guest', sequence: isn + 1 + sent.guest, acknowledgment: isn + 1 + position }),
    completed: () => events.filter(({ type }) => type === 'nfs-complete'),
  };
}

const folder = Buffer.alloc(16, 1);
const file = Buffer.alloc(16, 2);
const mounting = (xid: number, path: string) => call(xid, mount.program, 3, mount.procedures.mount, text(path));
const lookingUp = (xid: number, name: string) =>
  call(xid, nfs.program, 3, nfs.procedures.lookup, opaque(folder), text(name));
const reading = (xid: number, offset: number) =>
  call(xid, nfs.program, 3, nfs.procedures.read, opaque(file), uint32s(...words(offset), 1000));
const piece = (bytes: number, isEnd: boolean) => [
  uint32s(0, 1),
  Buffer.alloc(84),
  uint32s(bytes, isEnd ? 1 : 0),
  opaque(Buffer.alloc(bytes, 'b')),
];

function openFile(path = '/netboot/grub', name = 'grub.cfg') {
  const tcp = connect();
  tcp.asks(mounting(1, path));
  tcp.answers(1, uint32s(0), opaque(folder), uint32s(1, 1));
  tcp.asks(lookingUp(2, name));
  tcp.answers(2, uint32s(0), opaque(file), uint32s(0, 0));
  return tcp;
}

test('a file goes by the name that the tree has for it', () => {
  expect(openFile().events).toMatchObject([{ type: 'nfs-lookup', file: 'grub/grub.cfg', status: 0 }]);
  expect(openFile('/netboot', 'linux').events).toMatchObject([{ file: 'linux' }]);
});

test('a refusal is reported with its status', () => {
  const tcp = openFile();
  tcp.asks(lookingUp(3, 'absent'));
  tcp.answers(3, uint32s(2, 0));
  expect(tcp.events.at(-1)).toMatchObject({ type: 'nfs-lookup', file: 'grub/absent', status: 2 });
});

test('a file in several reads is complete with the acknowledgement of the last', () => {
  const tcp = openFile();
  for (const [xid, offset, isEnd] of [
    [3, 0, false],
    [4, 1000, false],
    [5, 2000, true],
  ] as const) {
    tcp.acknowledges();
    tcp.asks(reading(xid, offset));
    tcp.answers(xid, ...piece(isEnd ? 998 : 1000, isEnd));
  }
  tcp.acknowledges(tcp.sent.server - 1);
  expect(tcp.completed()).toEqual([]);
  tcp.acknowledges();
  expect(tcp.completed()).toMatchObject([{ file: 'grub/grub.cfg', bytes: 2998 }]);
});

test('a file with a gap, or without its beginning, is never complete', () => {
  for (const offset of [1, 1001, 5000]) {
    const tcp = openFile();
    tcp.asks(reading(3, 0));
    if (offset > 1) tcp.answers(3, ...piece(1000, false));
    tcp.asks(reading(4, offset));
    tcp.answers(4, ...piece(10, true));
    tcp.acknowledges();
    expect(tcp.completed()).toEqual([]);
  }
});

test('a read that fails, or that nobody asked for, completes nothing', () => {
  const tcp = openFile();
  tcp.asks(reading(3, 0));
  tcp.answers(3, uint32s(5, 0));
  tcp.answers(77, ...piece(10, true));
  tcp.acknowledges();
  expect(tcp.completed()).toEqual([]);
});

test('bytes in any order, one by one and twice, are the same', () => {
  const random = randomFrom(5);
  const tcp = openFile();
  const shuffled = (bytes: Buffer) =>
    [...bytes, ...bytes]
      .map((byte, index) => ({ byte, at: index % bytes.length, rank: random() }))
      .sort((a, b) => a.rank - b.rank);
  const question = record(reading(3, 0));
  const answer = record(Buffer.concat([uint32s(3, ...replies.success), ...piece(37, true)]));
  const { guest, server } = tcp.sent;
  for (const { byte, at } of shuffled(question)) tcp.put('guest', guest + at, Buffer.from([byte]));
  // A window of 64 pieces with gaps is all that is kept: the reply comes in a few larger ones.
  for (const at of [100, 50, 150, 0, 50]) tcp.put('server', server + at, answer.subarray(at, at + 50));
  tcp.acknowledges(server + answer.length);
  expect(tcp.completed()).toMatchObject([{ bytes: 37 }]);
});

test('a connection with split records, or of another protocol, is not followed', () => {
  const tcp = openFile();
  const question = reading(3, 0);
  tcp.put('guest', tcp.sent.guest, Buffer.concat([uint32s(question.length), question]));
  tcp.answers(3, ...piece(10, true));
  tcp.acknowledges();
  expect(tcp.completed()).toEqual([]);
});

test('random bytes are ignored, and end nothing', () => {
  const random = randomFrom(7);
  for (let round = 0; round < 200; round++) {
    const tcp = openFile();
    const noise = Buffer.from(Array.from({ length: 200 }, () => random() * 256));
    // Half of them with a plausible mark.
    if (round % 2) noise.writeUInt32BE(lastFragment + 100, 0);
    tcp.put('guest', tcp.sent.guest, noise);
    tcp.put('server', tcp.sent.server, noise);
    tcp.acknowledges(tcp.sent.server + 200);
    expect(tcp.completed()).toEqual([]);
  }
});
