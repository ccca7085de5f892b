import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readInTurns } from '../../harness/wire/in-turns.ts';

const chunkBytes = 65_536;

/** A guest whose next chunk is always there. */
const endless = () =>
  new Readable({
    read() {
      this.push(Buffer.alloc(chunkBytes));
    },
  });

describe('a guest that sends without end', () => {
  it('has a turn, and then the others have theirs', async () => {
    const floods = [endless(), endless()];
    const taken = [0, 0];
    floods.forEach((flood, nth) => {
      readInTurns(flood, ({ length }) => {
        taken[nth] = (taken[nth] ?? 0) + length;
      });
    });
    for (let turn = 1; turn <= 20; turn++) {
      await nextTurn();
      for (const bytes of taken) expect(bytes).toBeLessThanOrEqual(turn * chunkBytes);
    }
    for (const bytes of taken) expect(bytes).toBeGreaterThan(0);
    for (const flood of floods) flood.destroy();
  });

  it('does not get more of it by being slow to handle', async () => {
    const flood = endless();
    let pieces = 0;
    readInTurns(flood, () => {
      pieces++;
      for (const end = performance.now() + 10; performance.now() < end; );
    });
    for (let turn = 1; turn <= 5; turn++) {
      await nextTurn();
      expect(pieces).toBeLessThanOrEqual(turn);
    }
    expect(pieces).toBeGreaterThan(0);
    flood.destroy();
  });
});

describe('what is read in turns', () => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  const chunksOf = (...lengths: number[]) => {
    let at = 0;
    return lengths.map((length) => {
      at += length;
      return content.subarray(at - length, at);
    });
  };

  it('comes whole and in order by the end, in chunks of any length', async () => {
    const seen: Buffer[] = [];
    const stream = Readable.from(chunksOf(1, 65_536, 16_384, 3, 100_000, 16_383, 50_000), { objectMode: false });
    const ended = new Promise((resolve) => stream.once('end', resolve));
    readInTurns(stream, (piece) => void seen.push(Buffer.from(piece)));
    await ended;
    const all = Buffer.concat(seen);
    expect(all.equals(content.subarray(0, all.length))).toBe(true);
    expect(all.length).toBe(1 + 65_536 + 16_384 + 3 + 100_000 + 16_383 + 50_000);
  });

  it('waits while it is paused, and goes on where it was', async () => {
    const seen: Buffer[] = [];
    const stream = new Readable({ read() {} });
    const reader = readInTurns(stream, (piece) => {
      seen.push(Buffer.from(piece));
      reader.pause();
    });
    for (const chunk of chunksOf(50_000, 50_000)) stream.push(chunk);
    for (let pieces = 1; Buffer.concat(seen).length < 100_000; pieces++) {
      for (let turn = 0; turn < 10; turn++) await nextTurn();
      expect(seen).toHaveLength(pieces);
      reader.resume();
    }
    expect(Buffer.concat(seen).equals(content.subarray(0, 100_000))).toBe(true);
  });

  it('is all taken at once where someone needs it now', async () => {
    const seen: Buffer[] = [];
    const stream = new Readable({ read() {} });
    const reader = readInTurns(stream, (piece) => {
      seen.push(Buffer.from(piece));
      reader.pause();
    });
    stream.push(content.subarray(0, 60_000));
    while (seen.length === 0) await nextTurn();
    reader.flush();
    expect(Buffer.concat(seen).equals(content.subarray(0, 60_000))).toBe(true);
  });
});
