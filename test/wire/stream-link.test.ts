import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { linkOverStream } from '../../harness/wire/stack/stream-link.ts';

/** A stream whose peer reads nothing until asked to, and returns what it was sent. */
class PeerStream extends Duplex {
  readonly written: Buffer[] = [];
  #pending: (() => void)[] = [];
  readonly holds: boolean;
  constructor(holds = false) {
    super({ highWaterMark: 4096 });
    this.holds = holds;
  }
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // As a socket does: the chunk's buffer is reused once it is taken.
    this.written.push(Buffer.from(chunk));
    if (this.holds) this.#pending.push(done);
    else done();
  }
  release(): void {
    for (let done = this.#pending.shift(); done; done = this.#pending.shift()) done();
  }
}

const framed = (frame: Buffer): Buffer => {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(frame.length);
  return Buffer.concat([prefix, frame]);
};
const frameOf = (length: number, fill: number) => Buffer.alloc(length, fill);
const turn = () => new Promise((resolve) => setImmediate(resolve));

function listen(stream: Duplex) {
  const frames: Buffer[] = [];
  const reasons: string[] = [];
  const link = linkOverStream(stream);
  link.onMalformed((reason) => reasons.push(reason));
  link.onFrame((frame) => frames.push(Buffer.from(frame)));
  return { link, frames, reasons };
}

describe('receiving', () => {
  const frames = [frameOf(14, 1), frameOf(1514, 2), frameOf(60, 3), frameOf(69_632, 4), frameOf(300, 5)];
  const stream = Buffer.concat(frames.map(framed));

  test.each([1, 2, 3, 5, 17, 1000, 65_536, stream.length])('frames come whole from chunks of %i', async (size) => {
    const peer = new PeerStream();
    const seen = listen(peer);
    for (let at = 0; at < stream.length; at += size) peer.push(stream.subarray(at, at + size));
    while (seen.frames.length < frames.length) await turn();
    expect(seen.frames.map((frame) => frame.equals(frames[seen.frames.indexOf(frame)]!))).not.toContain(false);
    expect(seen.reasons).toEqual([]);
  });

  test('runts are dropped and reported, and the next frame is read', async () => {
    const peer = new PeerStream();
    const seen = listen(peer);
    peer.push(Buffer.concat([framed(frameOf(13, 1)), framed(Buffer.alloc(0)), framed(frameOf(14, 2))]));
    await turn();
    expect(seen.reasons).toHaveLength(2);
    expect(seen.frames).toEqual([frameOf(14, 2)]);
  });

  test('an oversize length closes the link', async () => {
    const peer = new PeerStream();
    const seen = listen(peer);
    peer.push(Buffer.concat([Buffer.from([0, 1, 0x10, 1]), frameOf(5000, 1)]));
    await turn();
    expect(seen.reasons).toEqual(['frame longer than 69632 bytes']);
    expect(seen.frames).toEqual([]);
    expect(peer.destroyed).toBe(true);
  });
});

describe('sending', () => {
  test('a frame of several parts leaves with its length, padded to the shortest Ethernet frame', async () => {
    const peer = new PeerStream();
    const { link } = listen(peer);
    link.send([frameOf(14, 1), frameOf(6, 2)]);
    link.send([frameOf(100, 3)]);
    await turn();
    const padded = Buffer.concat([frameOf(14, 1), frameOf(6, 2), frameOf(40, 0)]);
    expect(Buffer.concat(peer.written)).toEqual(Buffer.concat([framed(padded), framed(frameOf(100, 3))]));
  });

  test('the frames of one turn leave in one write', async () => {
    const peer = new PeerStream();
    const { link } = listen(peer);
    for (let sent = 0; sent < 4; sent++) link.send([frameOf(1400, sent)]);
    await turn();
    expect(peer.written).toHaveLength(1);
  });

  test('a guest that does not read is reported, then drained, and never fills the memory', async () => {
    const peer = new PeerStream(true);
    const { link } = listen(peer);
    let drains = 0;
    link.onDrain(() => drains++);
    let accepted = 0;
    for (let sent = 0; sent < 20_000; sent++) if (link.send([frameOf(1400, 1)])) accepted++;
    await turn();
    expect(accepted).toBeLessThan(100);
    expect(peer.writableLength).toBeLessThan(9 * 1024 * 1024);
    expect(drains).toBe(0);
    while (peer.writableLength > 0) {
      peer.release();
      await turn();
    }
    expect(drains).toBe(1);
    expect(link.send([frameOf(1400, 1)])).toBe(true);
  });

  test.each(['EPIPE', 'ECONNRESET'])('%s after the guest has gone is no error', async (code) => {
    const peer = new PeerStream();
    const { link } = listen(peer);
    let drained = false;
    link.onDrain(() => {
      drained = true;
    });
    peer.destroy(Object.assign(new Error(code), { code }));
    await turn();
    expect(link.send([frameOf(60, 1)])).toBe(true);
    expect(drained).toBe(true);
    link.close();
  });
});
