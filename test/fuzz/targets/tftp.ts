import assert from 'node:assert/strict';
import fc from 'fast-check';
import { negotiate, type Terms } from '../../../harness/services/tftp/negotiate.ts';
import { Sender } from '../../../harness/services/tftp/sender.ts';
import { memoryEntry, type ServedEntry } from '../../../harness/services/tree/served-entry.ts';
import { blockOf, opcodeOf, opcodes } from '../../../harness/wire/codecs/tftp.ts';
import { encodeAck } from '../../tftp/client-packets.ts';
import { contentOf, readOverLink } from '../../tftp/lossy-read.ts';
import { record } from '../arbitraries.ts';
import { noise } from '../mutation.ts';
import { target } from '../target.ts';

/** What a sender must be doing by RFC 1350 and 7440. */
interface Model {
  acked: number;
  /** The last block ever sent. */
  sent: number;
  oackPending: boolean;
  ended: boolean;
}

interface Real {
  readonly sender: Sender;
  readonly terms: Terms;
  readonly entry: ServedEntry;
  readonly content: Buffer;
  /** Since the command before. */
  packets: Buffer[];
  outcome: string | undefined;
}

const lastBlock = ({ entry, terms }: Real): number => Math.floor(entry.bytes / terms.blockBytes) + 1;

/** Every packet is the OACK, or a block that the window allows, with the file's own bytes. */
function checkSent(model: Model, real: Real): void {
  const { terms, content } = real;
  assert.ok(real.packets.length <= terms.windowBlocks, `${real.packets.length} packets at once`);
  for (const packet of real.packets) {
    if (opcodeOf(packet) === opcodes.oack) {
      assert.ok(model.oackPending, 'an OACK after it was acknowledged');
      continue;
    }
    assert.equal(opcodeOf(packet), opcodes.data);
    const block = model.acked + ((blockOf(packet) - model.acked) & 0xffff);
    assert.ok(
      block > model.acked && block <= Math.min(model.acked + terms.windowBlocks, lastBlock(real)),
      `block ${block}`,
    );
    const start = (block - 1) * terms.blockBytes;
    assert.deepEqual(packet.subarray(4), content.subarray(start, start + terms.blockBytes));
    model.sent = Math.max(model.sent, block);
  }
  real.packets = [];
  assert.equal(real.sender.deliveredBytes, Math.min(model.acked * terms.blockBytes, content.length));
  assert.equal(real.outcome === 'complete', model.acked === lastBlock(real));
  model.ended = real.outcome !== undefined;
}

type Step = fc.Command<Model, Real>;

/** An acknowledgement of a block this far from the last one acknowledged: a new one, an old one, or one never sent. */
const acknowledgement = (distance: number): Step => ({
  check: ({ ended }) => !ended,
  run(model, real) {
    const block = (model.acked + distance) & 0xffff;
    const advance = (block - model.acked) & 0xffff;
    if (model.oackPending) {
      if (advance === 0) model.oackPending = false;
    } else if (advance <= model.sent - model.acked) model.acked += advance;
    real.sender.acknowledge(encodeAck(block));
    checkSent(model, real);
  },
  toString: () => `acknowledge ${distance}`,
});

const silence = (ms: number): Step => ({
  check: ({ ended }) => !ended,
  run(model, real) {
    real.sender.tick(ms);
    checkSent(model, real);
  },
  toString: () => `${ms} ms`,
});

const options = fc.dictionary(
  fc.constantFrom('blksize', 'windowsize', 'tsize'),
  fc.constantFrom('8', '9', '16', '1', '4', '64'),
  {
    noNullPrototype: true,
  },
);

const sender = target({
  name: 'tftp-sender',
  holds: 'a sender keeps to its window and to the file, believes no impossible acknowledgement, and ends',
  testRuns: 40,
  input: record({
    options,
    bytes: fc.oneof(fc.nat(700), fc.integer({ min: 8 * 65_530, max: 8 * 65_540 })),
    steps: fc.commands(
      [
        fc.integer({ min: 1, max: 8 }).map(acknowledgement),
        fc.integer({ min: -5, max: 80 }).map(acknowledgement),
        fc.nat(5000).map(silence),
      ],
      { maxCommands: 60, size: 'max' },
    ),
  }),
  check({ options, bytes, steps }, count) {
    const content = noise(bytes, bytes);
    const entry = memoryEntry('file', content);
    const terms = negotiate(new Map(Object.entries(options)), { fileBytes: bytes, maxBlockBytes: 1468 });
    const real: Real = {
      ...{ entry, terms, content, packets: [], outcome: undefined },
      sender: new Sender(entry, terms, {
        guard: (_, act) => act,
        send(packet) {
          assert.equal(real.outcome, undefined, 'a packet after the end');
          real.packets.push(Buffer.from(packet));
        },
        end(outcome) {
          assert.equal(real.outcome, undefined, 'a second end');
          real.outcome = outcome;
        },
      }),
    };
    const model: Model = { acked: 0, sent: 0, oackPending: terms.granted.size > 0, ended: false };
    real.sender.start();
    checkSent(model, real);
    fc.modelRun(() => ({ model, real }), steps);
    // A guest that has gone is given up.
    for (let ticks = 0; ticks < 8 && real.outcome === undefined; ticks++) {
      real.sender.tick(8 * terms.timeoutMs);
      checkSent(model, real);
    }
    assert.ok(real.outcome !== undefined, 'a silent guest is waited for without end');
    count([...steps].length);
  },
});

const share = fc.double({ min: 0, max: 0.3, noNaN: true });

const transfer = target({
  name: 'tftp-transfer',
  holds:
    'over a link that loses, doubles and reorders, a file arrives whole or is given up, and is seen to arrive only if it does',
  testRuns: 10,
  input: record({
    bytes: fc.nat(9000),
    options: fc.dictionary(
      fc.constantFrom('blksize', 'windowsize', 'tsize'),
      fc.constantFrom('8', '512', '1', '4', '16'),
      {
        noNullPrototype: true,
      },
    ),
    faults: record({ loss: share, duplication: share, reordering: share }),
    seed: fc.nat(),
  }),
  async check({ bytes, options, faults, seed }, count) {
    const content = contentOf(bytes);
    const { received, dataPackets, events } = await readOverLink(content, options, faults, seed);
    assert.ok(content.startsWith(received), 'the guest has what is not in the file');
    const outcomes = events.flatMap((event) => (event.type === 'transfer' ? [event.outcome] : []));
    const seen = events.filter(({ type }) => type === 'tftp-complete');
    if (outcomes.includes('complete')) assert.equal(received, content);
    if (seen.length > 0) assert.equal(received, content);
    for (const event of seen) assert.equal('bytes' in event && event.bytes, bytes);
    count(dataPackets);
  },
});

export const tftps = [sender, transfer];
