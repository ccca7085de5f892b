import type { Readable } from 'node:stream';

/** Shorter chunks are taken whole: they empty the stream. */
const longBytes = 16 << 10;
/** Taken between two looks at the clock: some dozen DISCOVERs, each of which costs a fraction of a millisecond. */
const pieceBytes = 4 << 10;
const turnMs = 4;

/** A guest's stream that is read in turns. */
export interface TurnReader {
  /** Takes nothing more, until `resume`. */
  pause(): void;
  resume(): void;
  /** Takes at once what has been read from the stream. */
  flush(): void;
}

/**
 * Reads a guest's stream so that one that sends without end delays the others by a few milliseconds at a time. A long
 * chunk means that there is more to come, and libuv would read 32 of them before it turns to another guest.
 */
export function readInTurns(stream: Readable, take: (piece: Buffer) => void): TurnReader {
  let rest: Buffer = Buffer.alloc(0);
  let held = false;
  let turn: NodeJS.Immediate | undefined;

  function takePiece(): void {
    const piece = rest.subarray(0, pieceBytes);
    rest = rest.subarray(piece.length);
    take(piece);
  }

  function work(): void {
    turn = undefined;
    const end = performance.now() + turnMs;
    while (rest.length > 0 && !held && performance.now() < end) takePiece();
    goOn();
  }

  function goOn(): void {
    if (held || turn) return;
    if (rest.length > 0) turn = setImmediate(work);
    else stream.resume();
  }

  stream.on('data', (chunk: Buffer) => {
    if (chunk.length < longBytes) return take(chunk);
    stream.pause();
    rest = chunk;
    goOn();
  });

  function flush(): void {
    while (rest.length > 0) takePiece();
  }

  stream.on('end', flush);
  stream.on('close', flush);

  return {
    flush,
    pause() {
      held = true;
      stream.pause();
    },
    resume() {
      held = false;
      goOn();
    },
  };
}
