import type { Duplex } from 'node:stream';
import { ethernetHeaderBytes } from '../codecs/ethernet.ts';
import { readInTurns } from '../in-turns.ts';
import { createFrameDecoder, maxFrameBytes } from './frame-decoder.ts';
import { createFrameWriter } from './frame-writer.ts';
import type { Link } from './link.ts';

/** A set of listeners, and a call that reaches them all. */
function listeners<A extends unknown[]>() {
  const all: ((...args: A) => void)[] = [];
  return {
    add: (listener: (...args: A) => void): void => void all.push(listener),
    call(...args: A): void {
      for (const listener of all) listener(...args);
    },
  };
}

const readAtOnce = (stream: Duplex, take: (piece: Buffer) => void) => {
  stream.on('data', take);
  return { pause: () => void stream.pause(), resume: () => void stream.resume() };
};

/**
 * A link over QEMU's `-netdev stream` (or `socket`): each frame prefixed by its length as 4 bytes,
 * big-endian. The peer's close and any stream error end the link silently. A guest's is read in turns with the others'.
 */
export function linkOverStream(stream: Duplex, { inTurns = true } = {}): Link {
  const frames = listeners<[Buffer]>();
  const drains = listeners();
  const malformed = listeners<[string]>();
  const writer = createFrameWriter(stream);
  let open = true;

  function close(): void {
    if (!open) return;
    writer.flush();
    open = false;
    stream.destroy();
  }

  const decoder = createFrameDecoder(
    (frame) => {
      if (frame.length < ethernetHeaderBytes) malformed.call('frame shorter than an Ethernet header');
      else frames.call(frame);
    },
    () => {
      malformed.call(`frame longer than ${maxFrameBytes} bytes`);
      close();
    },
  );

  const take = (piece: Buffer): void => {
    if (open) decoder.push(piece);
  };
  const reader = inTurns ? readInTurns(stream, take) : readAtOnce(stream, take);
  stream.on('drain', drains.call);
  // EPIPE and ECONNRESET mean that the guest is gone; the process itself is watched elsewhere.
  stream.on('error', () => {});
  stream.on('close', () => {
    open = false;
    drains.call();
  });
  stream.resume();

  return {
    onFrame: frames.add,
    onDrain: drains.add,
    onMalformed: malformed.add,
    pause: reader.pause,
    resume: reader.resume,
    close,
    send: (parts) => !open || !stream.writable || writer.send(parts),
  };
}
