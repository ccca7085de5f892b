import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { UntimedEvent } from '../../../harness/model/events.ts';
import { dissect } from '../../../harness/wire/codecs/packet.ts';
import { tcpFlags } from '../../../harness/wire/codecs/tcp.ts';
import { randomFrom } from '../../../harness/wire/faults/random.ts';
import { createSniffer } from '../../../harness/wire/sniff/sniffer.ts';
import { tcpFrame } from '../../wire/frames.ts';
import { record, uint32 } from '../arbitraries.ts';
import { FaultyLink, fates } from '../faulty-link.ts';
import { network } from '../recorded.ts';
import { target } from '../target.ts';
import { type Exchange, exchange, requestOf, responseOf } from './streams.ts';

const { syn, ack, fin } = tcpFlags;

interface Ends {
  readonly guestInitial: number;
  readonly serverInitial: number;
}

/** What was said in each direction, and how far the guest has the server's. */
interface Model {
  asked: string;
  answered: string;
  received: number;
  /** The events of each exchange, and where its response ends. */
  readonly exchanges: { readonly events: object[]; readonly end: number }[];
}

/** A connection whose server's segments go over a link with faults to the guest, where the sniffer is. */
function connect({ guestInitial, serverInitial }: Ends, model: Model) {
  const link = new FaultyLink();
  const seen: UntimedEvent[] = [];
  const malformed = (_: unknown, layer: string, reason: string) => assert.fail(`malformed ${layer}: ${reason}`);
  const sniffer = createSniffer({ network, now: () => 0, emit: (event) => void seen.push(event), malformed });
  const see = (from: 'guest' | 'server', fields: Omit<Parameters<typeof tcpFrame>[0], 'from'>): void => {
    const packet = dissect(tcpFrame({ from, ...fields }), true);
    assert.ok(!packet.malformed);
    sniffer.packet(from, packet);
  };
  const guestAt = (position: number): number => (guestInitial + 1 + position) >>> 0;
  const serverAt = (position: number): number => (serverInitial + 1 + position) >>> 0;
  const arrived = new Set<number>();
  see('guest', { sequence: guestInitial, flags: syn });
  see('server', { sequence: serverInitial, acknowledgment: guestAt(0), flags: syn | ack });
  return {
    link,
    seen,
    guestSends(from: number, to: number): void {
      const data = model.asked.slice(from, to);
      see('guest', { sequence: guestAt(from), acknowledgment: serverAt(model.received), data });
    },
    serverSends(from: number, to: number): void {
      const data = model.answered.slice(from, to);
      link.send(() => {
        see('server', { sequence: serverAt(from), acknowledgment: guestAt(model.asked.length), data });
        for (let position = from; position < from + data.length; position++) arrived.add(position);
        while (arrived.has(model.received)) model.received++;
        see('guest', { sequence: guestAt(model.asked.length), acknowledgment: serverAt(model.received) });
      });
    },
    serverEnds(): void {
      const end = model.answered.length;
      see('server', { sequence: serverAt(end), acknowledgment: guestAt(model.asked.length), flags: fin | ack });
      see('guest', { sequence: guestAt(model.asked.length), acknowledgment: serverAt(end + 1), flags: ack });
    },
  };
}

type Real = ReturnType<typeof connect>;
type Step = fc.Command<Model, Real>;

/** Nothing is seen but what was said, in order; and a response as delivered when the guest has all of it, not before. */
function check({ exchanges, received }: Model, { seen }: Real): void {
  const expected = exchanges.flatMap(({ events }) => events);
  // What a body is can be said only where its first bytes came after the head, and not of chunks.
  const told = seen.map(({ image: _, ...event }: UntimedEvent & { image?: unknown }) => event);
  assert.deepEqual(told, expected.slice(0, told.length));
  const complete = exchanges.filter(({ end }) => end <= received).length;
  assert.equal(seen.filter(({ type }) => type === 'http-complete').length, complete);
}

const step = (text: string, run: (model: Model, real: Real) => void, isPossible = (_: Model) => true): Step => ({
  check: isPossible,
  run(model, real) {
    run(model, real);
    check(model, real);
  },
  toString: () => text,
});

/** Each of these in segments, one after another. */
function inSegments(from: number, to: number, random: () => number, send: (from: number, to: number) => void): void {
  for (let at = from; at < to; ) {
    const end = Math.min(to, at + 1 + Math.floor(random() * 300));
    send(at, end);
    at = end;
  }
}

const ask = (one: Exchange, seed: number): Step =>
  step(
    `GET ${one.target}, ${one.framing}, ${one.bodyBytes} bytes, ${seed}`,
    (model, real) => {
      const random = randomFrom(seed);
      const [asked, answered] = [model.asked.length, model.answered.length];
      model.asked += requestOf(one);
      model.answered += responseOf(one, false, random);
      const common = { source: 'wire', target: one.target, port: 80 };
      const length = one.framing === 'length' ? one.bodyBytes : null;
      const bytes = one.bodyBytes;
      const events = [
        { ...common, type: 'http-request', method: 'GET', host: 'server' },
        { ...common, type: 'http-response', status: 200, length },
        ...(length === null ? [{ ...common, type: 'http-sent', status: 200, bytes }] : []),
        { ...common, type: 'http-complete', status: 200, bytes, ms: 0 },
      ];
      model.exchanges.push({ events, end: model.answered.length });
      inSegments(asked, model.asked.length, random, real.guestSends);
      inSegments(answered, model.answered.length, random, real.serverSends);
    },
    // A guest asks for the next when it has the last.
    ({ received, answered }) => received === answered.length,
  );

/** Part of what was sent, again: from so many bytes before the end. */
const again = (who: 'guest' | 'server', back: number, bytes: number): Step =>
  step(`the ${who} sends ${bytes} bytes again, from ${back} before the end`, (model, real) => {
    const { length } = who === 'guest' ? model.asked : model.answered;
    const from = Math.max(0, length - back);
    const to = Math.min(length, from + bytes);
    if (from === to) return;
    if (who === 'guest') real.guestSends(from, to);
    else real.serverSends(from, to);
  });

const arriving = fates.map(([fate, nth]) =>
  step(`${nth} ${fate}`, (_, { link }) => link.isEmpty || link.meet(fate, nth)),
);
const small = exchange.map((one) => ({ ...one, bodyBytes: one.bodyBytes % 900 }));

export const httpReader = target({
  name: 'http-reader',
  holds:
    'over a link that loses, doubles and reorders segments, requests and responses are seen as they are, and as delivered when the guest has all of them',
  testRuns: 40,
  input: record({
    guestInitial: fc.oneof(uint32, fc.integer({ min: 0xffff_fc00, max: 0xffff_ffff })),
    serverInitial: fc.oneof(uint32, fc.integer({ min: 0xffff_fc00, max: 0xffff_ffff })),
    steps: fc.commands(
      [
        fc.tuple(small, fc.nat(999)).map(([one, seed]) => ask(one, seed)),
        fc
          .tuple(fc.constantFrom('guest' as const, 'server' as const), fc.nat(1200), fc.nat(1200))
          .map((sent) => again(...sent)),
        fc.tuple(fc.nat(1200), fc.nat(1200)).map(([back, bytes]) => again('server', back, bytes)),
        ...[arriving, arriving, arriving],
      ],
      { maxCommands: 100, size: 'max' },
    ),
  }),
  check({ guestInitial, serverInitial, steps }, count) {
    const model: Model = { asked: '', answered: '', received: 0, exchanges: [] };
    const real = connect({ guestInitial, serverInitial }, model);
    fc.modelRun(() => ({ model, real }), steps);
    real.link.deliverAll();
    inSegments(model.received, model.answered.length, randomFrom(1), real.serverSends);
    real.link.deliverAll();
    check(model, real);
    assert.equal(model.received, model.answered.length);
    real.serverEnds();
    assert.equal(real.seen.length, model.exchanges.flatMap(({ events }) => events).length);
    count([...steps].length);
  },
});
