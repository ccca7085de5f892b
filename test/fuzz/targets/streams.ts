import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { UntimedEvent } from '../../../harness/model/events.ts';
import { dissect } from '../../../harness/wire/codecs/packet.ts';
import { tcpFlags } from '../../../harness/wire/codecs/tcp.ts';
import { randomFrom } from '../../../harness/wire/faults/random.ts';
import { createSniffer } from '../../../harness/wire/sniff/sniffer.ts';
import { createStreamWindow, type StreamWindow } from '../../../harness/wire/sniff/stream-window.ts';
import { tcpFrame } from '../../wire/frames.ts';
import { record, uint32 } from '../arbitraries.ts';
import { network } from '../recorded.ts';
import { target } from '../target.ts';

const capacityBytes = 64;
/** The stream's byte at a position. */
const byteAt = (position: number): number => (position * 31) & 0xff;
const streamed = (start: number, end: number): Buffer =>
  Buffer.from(Array.from({ length: end - start }, (_, index) => byteAt(start + index)));

interface Known {
  base: number;
  readonly positions: Set<number>;
}
type WindowStep = fc.Command<Known, StreamWindow>;

const windowStep = (text: string, run: (model: Known, window: StreamWindow) => void): WindowStep => ({
  check: () => true,
  run(model, window) {
    run(model, window);
    let end = model.base;
    while (model.positions.has(end) && end < model.base + capacityBytes) end++;
    assert.deepEqual(window.known(), streamed(model.base, end));
  },
  toString: () => text,
});

/** A segment that begins so far from the window's first byte: early, late, again or in part. */
const segment = (at: number, length: number): WindowStep =>
  windowStep(`${length} bytes at ${at}`, ({ base, positions }, window) => {
    const start = Math.max(0, base + at);
    window.put(start, streamed(start, start + length), 0, length);
    for (let position = Math.max(start, base); position < start + length; position++) {
      if (position < base + capacityBytes) positions.add(position);
    }
  });

const ahead = (bytes: number): WindowStep =>
  windowStep(`${bytes} ahead`, (model, window) => {
    model.base += bytes;
    window.advanceTo(model.base);
  });

const windows = target({
  name: 'stream-window',
  holds: 'what a window knows is what came, wherever and in whatever order it came',
  testRuns: 100,
  input: fc.commands(
    [
      fc.tuple(fc.integer({ min: -50, max: 80 }), fc.nat(50)).map(([at, length]) => segment(at, length)),
      fc.tuple(fc.integer({ min: -50, max: 80 }), fc.nat(50)).map(([at, length]) => segment(at, length)),
      fc.nat(40).map(ahead),
    ],
    { maxCommands: 60, size: 'max' },
  ),
  check(steps, count) {
    const model: Known = { base: 0, positions: new Set() };
    fc.modelRun(() => ({ model, real: createStreamWindow(capacityBytes) }), steps);
    count([...steps].length);
  },
});

export const exchange = record({
  target: fc.stringMatching(/^\/[a-z]{1,8}$/),
  framing: fc.constantFrom('length' as const, 'chunked' as const),
  bodyBytes: fc.nat(6000),
});
export type Exchange = typeof exchange extends fc.Arbitrary<infer T> ? T : never;

export const requestOf = ({ target }: Exchange): string => `GET ${target} HTTP/1.1\r\nHost: server\r\n\r\n`;

export function responseOf({ framing, bodyBytes }: Exchange, closes: boolean, random: () => number): string {
  const body = 'b'.repeat(bodyBytes);
  if (closes) return `HTTP/1.1 200 OK\r\n\r\n${body}`;
  if (framing === 'length') return `HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n${body}`;
  const chunks: string[] = [];
  for (let at = 0; at < bodyBytes; ) {
    const bytes = Math.min(bodyBytes - at, 1 + Math.floor(random() * 900));
    chunks.push(`${bytes.toString(16)}\r\n${body.slice(at, at + bytes)}\r\n`);
    at += bytes;
  }
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`;
}

interface Piece {
  readonly at: number;
  readonly data: string;
}

/** A stream's part in segments as a bad network brings them: some twice, some a few places late, all at least once. */
function asTheyCome(text: string, from: number, random: () => number): Piece[] {
  const pieces: { due: number; piece: Piece }[] = [];
  for (let at = 0, index = 0; at < text.length; index++) {
    const bytes = 1 + Math.floor(random() * 1400);
    const piece = { at: from + at, data: text.slice(at, at + bytes) };
    pieces.push({ due: index + 3 * random(), piece });
    if (random() < 0.2) pieces.push({ due: index + 6 * random(), piece });
    at += bytes;
  }
  return pieces.sort((one, other) => one.due - other.due).map(({ piece }) => piece);
}

/** Says how far a stream has come without a gap. */
function createReceiver() {
  const got = new Map<number, number>();
  let end = 0;
  return ({ at, data }: Piece): number => {
    got.set(at, Math.max(at + data.length, got.get(at) ?? 0));
    for (let next = got.get(end); next !== undefined && next > end; next = got.get(end)) end = next;
    return end;
  };
}

const http = target({
  name: 'http-over-tcp',
  holds:
    'requests, responses and complete deliveries are seen for what they are in segments that repeat and overtake each other',
  testRuns: 40,
  input: record({
    exchanges: fc.array(exchange, { minLength: 1, maxLength: 5 }),
    closes: fc.boolean(),
    guestInitial: fc.oneof(uint32, fc.integer({ min: 0xffff_f000, max: 0xffff_ffff })),
    serverInitial: fc.oneof(uint32, fc.integer({ min: 0xffff_f000, max: 0xffff_ffff })),
    seed: fc.nat(),
  }),
  check({ exchanges, closes, guestInitial, serverInitial, seed }, count) {
    const random = randomFrom(seed);
    const seen: UntimedEvent[] = [];
    const malformed = (_: unknown, layer: string, reason: string) => assert.fail(`malformed ${layer}: ${reason}`);
    const sniffer = createSniffer({ network, now: () => 0, emit: (event) => void seen.push(event), malformed });
    const { syn, ack, fin } = tcpFlags;
    const deliver = (
      from: 'guest' | 'server',
      fields: { sequence: number; acknowledgment?: number; flags?: number; data?: string },
    ) => {
      const packet = dissect(tcpFrame({ from, ...fields }), true);
      assert.ok(!packet.malformed);
      sniffer.packet(from, packet);
      count(1);
    };
    const guestAt = (position: number): number => (guestInitial + 1 + position) >>> 0;
    const serverAt = (position: number): number => (serverInitial + 1 + position) >>> 0;
    deliver('guest', { sequence: guestInitial, flags: syn });
    deliver('server', { sequence: serverInitial, acknowledgment: guestAt(0), flags: syn | ack });
    const expected: object[] = [];
    let [asked, answered] = [0, 0];
    const received = createReceiver();
    for (const [index, one] of exchanges.entries()) {
      const isLast = closes && index === exchanges.length - 1;
      const request = requestOf(one);
      for (const { at, data } of asTheyCome(request, asked, random)) {
        deliver('guest', { sequence: guestAt(at), acknowledgment: serverAt(answered), data });
      }
      asked += request.length;
      const response = responseOf(one, isLast, random);
      for (const piece of asTheyCome(response, answered, random)) {
        deliver('server', { sequence: serverAt(piece.at), acknowledgment: guestAt(asked), data: piece.data });
        deliver('guest', { sequence: guestAt(asked), acknowledgment: serverAt(received(piece)) });
      }
      answered += response.length;
      const common = { source: 'wire', target: one.target, port: 80 };
      const length = one.framing === 'length' && !isLast ? one.bodyBytes : null;
      expected.push(
        { ...common, type: 'http-request', method: 'GET', host: 'server' },
        { ...common, type: 'http-response', status: 200, length },
        ...(length === null ? [{ ...common, type: 'http-sent', status: 200, bytes: one.bodyBytes }] : []),
        { ...common, type: 'http-complete', status: 200, bytes: one.bodyBytes, ms: 0 },
      );
    }
    deliver('server', { sequence: serverAt(answered), acknowledgment: guestAt(asked), flags: fin | ack });
    deliver('guest', { sequence: guestAt(asked), acknowledgment: serverAt(answered + 1), flags: ack });
    // What a body is can be said only where its first bytes came after the head, and not of chunks.
    const withoutImage = seen.map((event) => {
      if (event.type !== 'http-complete') return event;
      const { image = 'other', ...rest } = event;
      assert.equal(image, 'other');
      return rest;
    });
    assert.deepEqual(withoutImage, expected);
  },
});

export const streams = [windows, http];
