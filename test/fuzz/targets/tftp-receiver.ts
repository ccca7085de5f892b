import assert from 'node:assert/strict';
import fc from 'fast-check';
import { deliveryOf } from '../../../harness/model/deliveries.ts';
import type { UntimedEvent } from '../../../harness/model/events.ts';
import { startTftp } from '../../../harness/services/tftp/server.ts';
import { openTree } from '../../../harness/services/tree/served-tree.ts';
import { parseTftp, tftpPort } from '../../../harness/wire/codecs/tftp.ts';
import { createTftpSniffer } from '../../../harness/wire/sniff/tftp.ts';
import { guest } from '../../tftp/bench.ts';
import { encodeAck, encodeRequest } from '../../tftp/client-packets.ts';
import { contentOf } from '../../tftp/lossy-read.ts';
import { createManualClock } from '../../tftp/manual-clock.ts';
import { createMemoryEndpoint } from '../../tftp/memory-endpoint.ts';
import { record } from '../arbitraries.ts';
import { FaultyLink, fates } from '../faulty-link.ts';
import { checkEvent } from '../rig.ts';
import { target } from '../target.ts';

/** What a guest has and says, by RFC 1350 and 7440: it takes blocks in order, and acknowledges each window. */
class Receiver {
  readonly windowBlocks: number;
  blockBytes = 512;
  serverPort = tftpPort;
  got = '';
  blocks = 0;
  isDone = false;
  lastSent: Buffer;
  #unacknowledged = 0;

  constructor(options: Record<string, string>) {
    this.windowBlocks = Number(options.windowsize ?? 1);
    const asked = new Map(Object.entries(options));
    this.lastSent = encodeRequest({ kind: 'rrq', file: 'file', mode: 'octet', options: asked });
  }

  /** What it sends in answer, if anything. */
  receive(fromPort: number, payload: Buffer): Buffer | undefined {
    const packet = parseTftp(payload);
    if (this.serverPort === tftpPort) this.serverPort = fromPort;
    // Another answer to the same request.
    if (fromPort !== this.serverPort) return undefined;
    if (packet.kind === 'oack') {
      if (this.blocks > 0) return undefined;
      this.blockBytes = Number(packet.options.get('blksize') ?? 512);
      return this.#acknowledge();
    }
    if (packet.kind !== 'data') return undefined;
    if (this.isDone || packet.block !== this.blocks + 1) return this.#acknowledge();
    this.got += packet.data.toString('latin1');
    this.blocks++;
    this.#unacknowledged++;
    this.isDone = packet.data.length < this.blockBytes;
    return this.isDone || this.#unacknowledged === this.windowBlocks ? this.#acknowledge() : undefined;
  }

  #acknowledge(): Buffer {
    this.#unacknowledged = 0;
    this.lastSent = encodeAck(this.blocks);
    return this.lastSent;
  }
}

/** A server, and the guest's end of the link to it, where the sniffer is. */
function start(content: string, options: Record<string, string>) {
  const clock = createManualClock();
  const link = new FaultyLink();
  const events: UntimedEvent[] = [];
  const emit = (event: UntimedEvent): void => {
    checkEvent(event);
    events.push(event);
  };
  const sniffer = createTftpSniffer(clock.now, emit);
  const receiver = new Receiver(options);
  const send = (payload: Buffer): void => {
    const { serverPort } = receiver;
    sniffer.datagram({ from: 'guest', guestPort: guest.port, serverPort, ipVersion: 4, payload });
    link.send(() => udp.deliver(guest, serverPort, payload));
  };
  const udp = createMemoryEndpoint(({ fromPort, payload }) =>
    link.send(() => {
      sniffer.datagram({ from: 'server', guestPort: guest.port, serverPort: fromPort, ipVersion: 4, payload });
      const answer = receiver.receive(fromPort, payload);
      if (answer !== undefined) send(answer);
    }),
  );
  const server = startTftp(udp, { tree: openTree({ file: { text: content } }), emit, clock });
  send(receiver.lastSent);
  return { clock, link, receiver, events, server, repeat: () => send(receiver.lastSent) };
}

type Real = ReturnType<typeof start>;
interface Model {
  readonly content: string;
}

/** What holds at any time: the guest has the file's beginning, and has been seen to have it all only if it has. */
function check({ content }: Model, { receiver, events }: Real): void {
  assert.ok(content.startsWith(receiver.got), 'the guest has what is not in the file');
  if (receiver.isDone) assert.equal(receiver.got, content, 'the guest believes that it has all');
  const delivered = events.flatMap((event) => deliveryOf(event) ?? []);
  assert.deepEqual(delivered, receiver.isDone ? [{ name: 'file', bytes: content.length }] : []);
  const completed = events.some(
    (event) => event.source === 'tftp' && event.type === 'transfer' && event.outcome === 'complete',
  );
  assert.ok(!completed || receiver.isDone, 'the server takes a transfer for complete that is not');
}

/** Files are looked up by promises. */
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 6; turns++) await undefined;
};

type Step = fc.AsyncCommand<Model, Real>;

const step = (text: string, run: (real: Real) => void): Step => ({
  check: () => true,
  async run(model, real) {
    run(real);
    await settle();
    check(model, real);
  },
  toString: () => text,
});

const steps = fc.commands(
  [
    fates.map(([fate, nth]) => step(`${nth} ${fate}`, ({ link }) => link.isEmpty || link.meet(fate, nth))),
    fates.map(([fate, nth]) => step(`${nth} ${fate}`, ({ link }) => link.isEmpty || link.meet(fate, nth))),
    fc.nat(5000).map((ms) => step(`${ms} ms`, ({ clock }) => clock.advance(ms))),
    fc.constant(step('the guest asks again', ({ receiver, repeat }) => receiver.isDone || repeat())),
  ],
  { maxCommands: 80, size: 'max' },
);

const guestTimeoutMs = 2500;
/** More than any file takes here. */
const mostTurns = 2000;

export const receiver = target({
  name: 'tftp-receiver',
  holds:
    'over a link that loses, doubles and reorders, a guest has the file’s beginning at any time, is seen to have all of it when it has, and gets it once the link is good, if it was not given up',
  testRuns: 30,
  input: record({
    options: fc.dictionary(
      fc.constantFrom('blksize', 'windowsize', 'tsize'),
      fc.constantFrom('8', '16', '1', '2', '4', '64'),
      { noNullPrototype: true },
    ),
    bytes: fc.oneof(fc.nat(100), fc.nat(1100)),
    steps,
  }),
  async check({ options, bytes, steps }, count) {
    const model: Model = { content: contentOf(bytes) };
    const real = start(model.content, options);
    await fc.asyncModelRun(() => ({ model, real }), steps);
    const isGivenUp = () => real.events.some(({ source, type }) => source === 'tftp' && type === 'transfer');
    for (let turns = 0; !real.receiver.isDone && !isGivenUp(); turns++) {
      assert.ok(turns < mostTurns, 'a good link brings no end');
      if (!real.link.isEmpty) real.link.meet('arrives', 0);
      else {
        real.clock.advance(guestTimeoutMs);
        real.repeat();
      }
      await settle();
      check(model, real);
    }
    real.server.close();
    count([...steps].length);
  },
});
