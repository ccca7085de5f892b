import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createFrameDecoder } from '../../../harness/wire/stack/frame-decoder.ts';
import { linkOverStream } from '../../../harness/wire/stack/stream-link.ts';
import { duplexPair } from '../../vm/duplex-pair.ts';
import { bytes, record } from '../arbitraries.ts';
import { noise } from '../mutation.ts';
import { target } from '../target.ts';

const framed = (frame: Buffer): Buffer => {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(frame.length);
  return Buffer.concat([prefix, frame]);
};

/** Where a stream of this length is cut, in order. */
const pieces = (stream: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [...new Set([0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length])].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => stream.subarray(at[index], end));
};

const decoder = target({
  name: 'frame-decoder',
  holds: 'frames come whole from a stream cut anywhere; after an impossible length nothing does',
  testRuns: 30,
  input: record({
    frames: fc.array(
      fc.oneof(
        bytes(30),
        fc.nat(3000).map((length) => noise(length, length)),
      ),
      { maxLength: 8 },
    ),
    cuts: fc.array(fc.nat(), { maxLength: 12 }),
    lost: fc.option(fc.integer({ min: 69_633, max: 0xffff_ffff })),
  }),
  check({ frames, cuts, lost }, count) {
    const got: Buffer[] = [];
    const oversize: number[] = [];
    const decoder = createFrameDecoder(
      (frame) => void got.push(Buffer.from(frame)),
      (length) => void oversize.push(length),
    );
    const end = Buffer.alloc(4);
    end.writeUInt32BE(lost ?? 0);
    const stream = Buffer.concat([...frames.map(framed), ...(lost === null ? [] : [end, framed(Buffer.from('lost'))])]);
    for (const piece of pieces(stream, cuts)) decoder.push(piece);
    assert.deepEqual(got, frames);
    assert.deepEqual(oversize, lost === null ? [] : [lost]);
    count(frames.length);
  },
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

const link = target({
  name: 'link',
  holds: 'what one end of a link sends is what the other gets, padded to the shortest frame',
  testRuns: 30,
  input: record({
    frames: fc.array(fc.tuple(fc.nat(0xffff), fc.integer({ min: 14, max: 1514 })), { maxLength: 60 }),
    split: fc.nat(),
  }),
  async check({ frames, split }, count) {
    const [one, other] = duplexPair();
    const [from, to] = [linkOverStream(one), linkOverStream(other)];
    const got: Buffer[] = [];
    to.onFrame((frame) => void got.push(Buffer.from(frame)));
    const sent = frames.map(([seed, length]) => noise(seed, length));
    for (const frame of sent)
      from.send([frame.subarray(0, split % frame.length), frame.subarray(split % frame.length)]);
    for (let turns = 0; turns < 20 && got.length < sent.length; turns++) await turn();
    from.close();
    const padded = sent.map((frame) => Buffer.concat([frame, Buffer.alloc(Math.max(0, 60 - frame.length))]));
    assert.deepEqual(got, padded);
    count(frames.length);
  },
});

export const framing = [decoder, link];
