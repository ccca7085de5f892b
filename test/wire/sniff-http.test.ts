import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { deliveryOf } from '../../harness/model/deliveries.ts';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { createMalformedLog } from '../../harness/wire/codecs/malformed.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import { tcpFlags } from '../../harness/wire/codecs/tcp.ts';
import { randomFrom } from '../../harness/wire/faults/random.ts';
import { createSniffer } from '../../harness/wire/sniff/sniffer.ts';
import { network, type Segment, tcpFrame } from './frames.ts';

const { syn, ack, fin, rst } = tcpFlags;
/** Near the end of the sequence space, so that every test wraps. */
const guestIsn = 0xffff_ffe0;
const serverIsn = 0xffff_fff0;

/** A connection as it stands after its handshake; positions count bytes of data. */
const connect = (serverPort = 80) => follow()(serverPort);

/** Makes connections, one after the other, that one sniffer sees. */
function follow() {
  const events: UntimedEvent[] = [];
  const emit = (event: UntimedEvent) => void events.push(event);
  const sniffer = createSniffer({ network, now: () => 5, emit, malformed: createMalformedLog(emit) });
  let guestPort = 50_000;
  return (serverPort = 80) => connectTo(serverPort, { events, sniffer, guestPort: guestPort++ });
}

interface Followed {
  events: UntimedEvent[];
  sniffer: ReturnType<typeof createSniffer>;
  guestPort: number;
}

function connectTo(serverPort: number, { events, sniffer, guestPort }: Followed) {
  const see = (segment: Segment) => {
    const packet = dissect(tcpFrame({ serverPort, guestPort, ...segment }), true);
    if (packet.malformed) throw new Error(packet.malformed.reason);
    sniffer.packet(segment.from, packet);
  };
  see({ from: 'guest', sequence: guestIsn, flags: syn });
  see({ from: 'server', sequence: serverIsn, acknowledgment: guestIsn + 1, flags: syn | ack });
  return {
    events,
    asks: (position: number, data: string, flags: number = ack) =>
      see({ from: 'guest', sequence: guestIsn + 1 + position, data, flags, acknowledgment: serverIsn + 1 }),
    answers: (position: number, data: string | Buffer, flags: number = ack) =>
      see({ from: 'server', sequence: serverIsn + 1 + position, data, flags }),
    acknowledges: (position: number, flags: number = ack) =>
      see({ from: 'guest', sequence: guestIsn + 1 + 5000, acknowledgment: serverIsn + 1 + position, flags }),
    sends: (from: 'guest' | 'server', position: number, acknowledged: number, data: Buffer, flags: number) => {
      const [own, other] = from === 'guest' ? [guestIsn, serverIsn] : [serverIsn, guestIsn];
      see({ from, sequence: own + 1 + position, acknowledgment: other + 1 + acknowledged, data, flags });
    },
    of: (type: string) => events.filter((event) => event.type === type),
  };
}

const request = 'GET /kernel HTTP/1.1\r\nHost: 10.0.2.2\r\nUser-Agent: iPXE\r\n\r\n';
const head = (fields: string, status = '200 OK') => `HTTP/1.1 ${status}\r\n${fields}\r\n\r\n`;
const complete = { type: 'http-complete', target: '/kernel', status: 200, port: 80 };
const sent = (bytes: number) => ({ source: 'wire', ...complete, type: 'http-sent', bytes });

test('request, response and delivery are reported', () => {
  const tcp = connect();
  const answer = `${head('Content-Length: 5')}hello`;
  tcp.asks(0, request);
  tcp.answers(0, answer);
  expect(tcp.of('http-complete')).toEqual([]);
  tcp.acknowledges(answer.length - 1);
  expect(tcp.of('http-complete')).toEqual([]);
  tcp.acknowledges(answer.length);
  expect(tcp.events).toEqual([
    { source: 'wire', type: 'http-request', method: 'GET', target: '/kernel', host: '10.0.2.2', port: 80 },
    { source: 'wire', type: 'http-response', target: '/kernel', status: 200, port: 80, length: 5 },
    { source: 'wire', ...complete, bytes: 5, image: 'other', ms: 0 },
  ]);
});

describe('a file whose rest is asked for on another connection', () => {
  const file = efiImage(0x8664, 4000);
  const ofFile = (of: ReturnType<typeof connect>) => of.of('http-complete').map((event) => [event, deliveryOf(event)]);

  /** A first connection, on which so many bytes of the file come; then what a second one answers, all taken. */
  function resume(bytesBefore: number, status: string, fields: string, rest: Buffer) {
    const open = follow();
    const [first, second] = [open(), open()];
    const begun = head(`Content-Length: ${file.length}`);
    first.asks(0, request);
    first.answers(0, Buffer.concat([Buffer.from(begun), file.subarray(0, bytesBefore)]));
    // The guest has all of it, but its link goes before it can say so.
    first.acknowledges(begun.length + 100);
    const answer = Buffer.concat([Buffer.from(head(`Content-Length: ${rest.length}\r\n${fields}`, status)), rest]);
    second.asks(0, request);
    second.answers(0, answer);
    second.acknowledges(answer.length - 1);
    expect(second.of('http-complete')).toEqual([]);
    second.acknowledges(answer.length);
    return ofFile(second);
  }
  const rest = (start: number, total = file.length) => `Content-Range: bytes ${start}-${total - 1}/${total}`;

  test('is delivered, as what its beginning says', () => {
    expect(resume(2500, '206 Partial Content', rest(2000), file.subarray(2000))).toEqual([
      [
        { source: 'wire', ...complete, status: 206, bytes: 2000, resumedAt: 2000, image: 'efi-x64', ms: 0 },
        { name: 'kernel', bytes: 4000 },
      ],
    ]);
  });

  test.each([
    ['where not all that is before was sent', 1999, rest(2000), file.subarray(2000)],
    ['where the file has another length now', 2500, rest(2000, 4001), Buffer.alloc(2001)],
    ['where it is not the rest', 2500, 'Content-Range: bytes 2000-2999/4000', file.subarray(2000, 3000)],
    ['without Content-Range', 2500, 'X: y', file.subarray(2000)],
  ])('is not delivered %s', (_, bytesBefore, fields, body) => {
    const [[event, delivery] = []] = resume(bytesBefore, '206 Partial Content', fields, body);
    expect(event).toEqual({ source: 'wire', ...complete, status: 206, bytes: body.length, ms: 0 });
    expect(delivery).toBeUndefined();
  });

  test('is delivered also where the rest is interrupted once more', () => {
    const open = follow();
    const connections = [open(), open(), open()];
    const part = (start: number) =>
      start === 0
        ? head(`Content-Length: ${file.length}`)
        : head(`Content-Length: ${file.length - start}\r\n${rest(start)}`, '206 Partial Content');
    for (const [nth, start] of [0, 1500, 2900].entries()) {
      const to = nth === 2 ? file.length : [1500, 2900][nth];
      connections[nth]?.asks(0, request);
      connections[nth]?.answers(0, Buffer.concat([Buffer.from(part(start)), file.subarray(start, to)]));
      connections[nth]?.acknowledges(part(start).length + Number(to) - start);
    }
    expect(connections[2] && ofFile(connections[2])).toMatchObject([[{ resumedAt: 2900 }, { bytes: 4000 }]]);
  });

  test('begins anew where all of it is sent again', () => {
    const open = follow();
    const [first, again, last] = [open(), open(), open()];
    const whole = head(`Content-Length: ${file.length}`);
    const tail = head(`Content-Length: 2000\r\n${rest(2000)}`, '206 Partial Content');
    first.asks(0, request);
    first.answers(0, Buffer.concat([Buffer.from(whole), file.subarray(0, 3000)]));
    again.asks(0, request);
    again.answers(0, whole);
    last.asks(0, request);
    last.answers(0, Buffer.concat([Buffer.from(tail), file.subarray(2000)]));
    last.acknowledges(tail.length + 2000);
    expect(ofFile(last)).toMatchObject([[{ status: 206, bytes: 2000 }, undefined]]);
  });
});

/** An EFI image for a machine: its DOS header, and the COFF header at 0x80 (PE format). */
function efiImage(machine: number, bytes: number): Buffer {
  const image = Buffer.alloc(bytes);
  image.write('MZ');
  image.writeUInt32LE(0x80, 0x3c);
  image.write('PE\0\0', 0x80);
  image.writeUInt16LE(machine, 0x84);
  return image;
}

describe('what kind of file a body is', () => {
  const delivered = (body: Buffer, pieceBytes: number) => {
    const tcp = connect();
    const answer = Buffer.concat([Buffer.from(head(`Content-Length: ${body.length}`)), body]);
    tcp.asks(0, request);
    for (let at = 0; at < answer.length; at += pieceBytes) tcp.answers(at, answer.subarray(at, at + pieceBytes));
    tcp.acknowledges(answer.length);
    return tcp.of('http-complete');
  };
  const bzImage = efiImage(0x8664, 4000);
  bzImage.write('HdrS', 0x202);

  test.each([
    ['efi-x64', efiImage(0x8664, 4000)],
    ['efi-aa64', efiImage(0xaa64, 300)],
    ['efi-other', efiImage(0x1c0, 4000)],
    ['bzimage', bzImage],
    ['ipxe-script', Buffer.from('#!ipxe\nshell\n')],
    ['other', efiImage(0x8664, 300).subarray(0, 0x83)],
    ['other', Buffer.from('MZ')],
    ['other', Buffer.alloc(4000)],
  ])('%s is seen, however it is split', (image, body) => {
    for (const pieceBytes of [1, 97, 1400]) expect(delivered(body, pieceBytes)).toMatchObject([{ image }]);
  });
});

test('requests and responses split at every byte, in any order and twice, are the same', () => {
  const random = randomFrom(3);
  for (let round = 0; round < 20; round++) {
    const tcp = connect();
    const answer = head('Content-Length: 30\r\nX: y') + 'b'.repeat(30);
    const shuffled = (text: string) =>
      [...text, ...text]
        .map((byte, index) => ({ byte, at: index % text.length, rank: random() }))
        .sort((a, b) => a.rank - b.rank);
    for (const { byte, at } of shuffled(request)) tcp.asks(at, byte);
    for (const { byte, at } of shuffled(answer)) tcp.answers(at, byte);
    tcp.acknowledges(answer.length);
    expect(tcp.events.map(({ type }) => type)).toEqual(['http-request', 'http-response', 'http-complete']);
  }
});

describe('a body that is not delivered whole is never complete', () => {
  const stated = head('Content-Length: 1000');

  test.each([0, 1, 500, 999])('cut at %i bytes, which is known before the guest can say so', (bytes) => {
    const tcp = connect();
    const cut = {
      source: 'wire',
      type: 'http-cut-short',
      target: '/kernel',
      status: 200,
      port: 80,
      bytes,
      length: 1000,
    };
    tcp.asks(0, request);
    tcp.answers(0, stated + 'b'.repeat(bytes), ack | fin);
    expect(tcp.of('http-cut-short')).toEqual([cut]);
    tcp.acknowledges(stated.length + bytes + 1);
    tcp.acknowledges(stated.length + 1000);
    expect(tcp.of('http-complete')).toEqual([]);
    expect(tcp.of('http-cut-short')).toEqual([cut]);
  });

  test('acknowledged beyond what was sent', () => {
    const tcp = connect();
    tcp.asks(0, request);
    tcp.answers(0, stated);
    tcp.acknowledges(stated.length + 1000);
    expect(tcp.of('http-complete')).toEqual([]);
  });

  test('reset before its end', () => {
    const tcp = connect();
    tcp.asks(0, request);
    tcp.answers(0, head('Connection: close'));
    tcp.answers(head('Connection: close').length, 'body');
    tcp.answers(head('Connection: close').length + 4, '', rst | ack);
    tcp.acknowledges(head('Connection: close').length + 5);
    expect(tcp.of('http-complete')).toEqual([]);
  });

  test('chunked, without its last chunk', () => {
    const tcp = connect();
    const chunked = `${head('Transfer-Encoding: chunked')}5\r\nhello\r\n`;
    tcp.asks(0, request);
    tcp.answers(0, chunked, ack | fin);
    tcp.acknowledges(chunked.length + 1);
    expect(tcp.of('http-complete')).toEqual([]);
    expect(tcp.of('http-cut-short')).toMatchObject([{ target: '/kernel', length: null }]);
  });
});

test('a large body in segments late and twice is complete when all is acknowledged', () => {
  const tcp = connect();
  const bodyBytes = 3_000_000;
  const start = head(`Content-Length: ${bodyBytes}`);
  tcp.asks(0, request);
  tcp.answers(0, start);
  const segment = Buffer.alloc(1000);
  for (let at = 0; at < bodyBytes; at += 2000) {
    tcp.answers(start.length + at + 1000, segment);
    tcp.answers(start.length + at, segment);
    tcp.answers(start.length + at, segment);
    if (at + 2000 < bodyBytes) tcp.acknowledges(start.length + at + 2000);
  }
  expect(tcp.of('http-complete')).toEqual([]);
  tcp.acknowledges(start.length + bodyBytes);
  expect(tcp.of('http-complete')).toMatchObject([{ ...complete, bytes: bodyBytes }]);
});

test('chunks are counted, trailers are not', () => {
  const tcp = connect();
  const answer = `${head('Transfer-Encoding: chunked')}5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nT: v\r\n\r\n`;
  tcp.asks(0, request);
  for (let at = 0; at < answer.length; at += 7) {
    expect(tcp.of('http-sent')).toEqual([]);
    tcp.answers(at, answer.slice(at, at + 7));
  }
  expect(tcp.of('http-sent')).toEqual([sent(15)]);
  tcp.acknowledges(answer.length);
  expect(tcp.of('http-complete')).toMatchObject([{ ...complete, bytes: 15 }]);
});

test('a body that ends with the connection is complete when the FIN is acknowledged', () => {
  const tcp = connect();
  const answer = `${head('Server: old')}0123456789`;
  tcp.asks(0, request);
  tcp.answers(0, answer);
  expect(tcp.of('http-sent')).toEqual([]);
  tcp.answers(answer.length, '', ack | fin);
  expect(tcp.of('http-sent')).toEqual([sent(10)]);
  tcp.acknowledges(answer.length);
  expect(tcp.of('http-complete')).toEqual([]);
  tcp.acknowledges(answer.length + 1);
  expect(tcp.of('http-complete')).toMatchObject([{ ...complete, bytes: 10 }]);
});

test('one connection carries HEAD, a redirect, a missing file and a delivery', () => {
  const tcp = connect();
  const ask = (method: string, target: string) => `${method} ${target} HTTP/1.1\r\nHost: h\r\n\r\n`;
  const exchanges = [
    [ask('HEAD', '/a'), head('Content-Length: 77')],
    [ask('GET', '/b'), `${head('Location: /c\r\nContent-Length: 2', '302 Found')}no`],
    [ask('GET', '/d'), `${head('Content-Length: 4', '404 Not Found')}none`],
    [
      `${ask('POST', '/e').replace('Host', 'Content-Length: 3\r\nHost')}abc`,
      `${head('X: y', '100 Continue')}${head('Content-Length: 2')}ok`,
    ],
  ] as const;
  let asked = 0;
  let answered = 0;
  for (const [question, answer] of exchanges) {
    tcp.asks(asked, question);
    tcp.answers(answered, answer);
    asked += question.length;
    answered += answer.length;
    tcp.acknowledges(answered);
  }
  expect(tcp.of('http-response')).toMatchObject([
    { target: '/a', status: 200, length: 77 },
    { target: '/b', status: 302, location: '/c' },
    { target: '/d', status: 404 },
    { target: '/e', status: 200 },
  ]);
  expect(tcp.of('http-complete')).toMatchObject([
    { target: '/b', status: 302, bytes: 2 },
    { target: '/d', status: 404, bytes: 4 },
    { target: '/e', status: 200, bytes: 2 },
  ]);
});

test.each(['Content-Length: 5\r\nContent-Length: 6', 'Content-Length: -1', 'Content-Length: 1e3'])(
  'a length that means nothing proves nothing: %s',
  (fields) => {
    const tcp = connect();
    const answer = `${head(fields)}hello`;
    tcp.asks(0, request);
    tcp.answers(0, answer, ack | fin);
    tcp.acknowledges(answer.length + 1);
    expect(tcp.of('http-complete')).toEqual([]);
  },
);

test('what is not HTTP is malformed once, and the connection ignored', () => {
  const tcp = connect();
  tcp.asks(0, 'SSH-2.0-x\r\n\r\n');
  for (let at = 13; at < 4000; at += 100) tcp.asks(at, 'x'.repeat(100));
  expect(tcp.events).toMatchObject([{ type: 'malformed', from: 'guest', layer: 'http', reason: 'no request line' }]);
});

test('an endless head is given up', () => {
  const tcp = connect();
  for (let at = 0; at < 40_000; at += 1000) tcp.asks(at, 'x'.repeat(1000));
  expect(tcp.events).toMatchObject([{ type: 'malformed', layer: 'http' }]);
});

describe('TLS', () => {
  const record = (type: number, body: string) =>
    `${type.toString(16)}0303${(body.length / 2).toString(16).padStart(4, '0')}${body}`;

  test('hellos and an alert in the clear are reported, split or not', () => {
    for (const size of [1, 6, 1000]) {
      const tcp = connect(443);
      const hello = Buffer.from(record(0x16, `0100${'00'.repeat(300)}`) + record(0x15, '0230'), 'hex');
      const answer = Buffer.from(
        record(0x16, `0200${'00'.repeat(90)}`) + record(0x16, `0b00${'01'.repeat(900)}`),
        'hex',
      );
      const sendIn = (data: Buffer, send: (at: number, data: string) => void) => {
        for (let at = 0; at < data.length; at += size) send(at, data.toString('latin1', at, at + size));
      };
      tcp.answers(0, answer);
      sendIn(hello, (at, data) => tcp.asks(at, data));
      expect(tcp.events).toMatchObject([
        { type: 'tls', port: 443, from: 'server', kind: 'server-hello' },
        { type: 'tls', port: 443, from: 'guest', kind: 'client-hello' },
        { type: 'tls', port: 443, from: 'guest', kind: 'alert:unknown_ca' },
      ]);
    }
  });

  const { segments } = JSON.parse(
    readFileSync(new URL('../../fixtures/captures/tls/ovmf-wrong-name.json', import.meta.url), 'utf8'),
  ) as { segments: { from: 'guest' | 'server'; flags: number; position: number; acknowledged: number; hex: string }[] };
  const replay = (seen: typeof segments) => {
    const tcp = connect(443);
    for (const { from, flags, position, acknowledged, hex } of seen) {
      if ((flags & syn) === 0) tcp.sends(from, position, acknowledged, Buffer.from(hex, 'hex'), flags);
    }
    return tcp.of('tls');
  };
  const certificate = { names: 'DNS:elsewhere.example', issuer: 'CN=netboot-harness run authority' };

  test('a guest that leaves on seeing the certificate is reported, with the certificate it saw', () => {
    expect(replay(segments)).toMatchObject([
      { kind: 'client-hello' },
      { kind: 'server-hello' },
      { from: 'guest', kind: 'left', certificate },
    ]);
  });

  test('a guest that has not acknowledged the whole certificate has not seen it', () => {
    const lost = segments.map((one) => (one.from === 'guest' ? { ...one, acknowledged: 600 } : one));
    expect(replay(lost).at(-1)).toEqual({ source: 'wire', type: 'tls', port: 443, from: 'guest', kind: 'left' });
  });

  test('a guest that continues the handshake does not leave it', () => {
    const [last] = segments.slice(-1);
    const keyExchange = { ...last, flags: ack, hex: record(0x16, `1000${'00'.repeat(64)}`) } as (typeof segments)[0];
    const after = { ...last, position: (last?.position ?? 0) + keyExchange.hex.length / 2 } as (typeof segments)[0];
    expect(replay([...segments.slice(0, -1), keyExchange, after]).map(({ type, ...rest }) => rest)).toMatchObject([
      { kind: 'client-hello' },
      { kind: 'server-hello' },
    ]);
  });

  test('what is not a certificate is ignored', () => {
    const odd = segments.map((one) => ({ ...one, hex: one.hex.replace('3082031a', '3082ffff') }));
    expect(odd).not.toEqual(segments);
    expect(replay(odd).at(-1)).toEqual({ source: 'wire', type: 'tls', port: 443, from: 'guest', kind: 'left' });
  });

  test('nothing is read into what is encrypted', () => {
    const tcp = connect(443);
    tcp.answers(0, Buffer.from(record(0x14, '01ff') + record(0x15, '0228'), 'hex'));
    expect(tcp.events).toEqual([]);
  });
});
