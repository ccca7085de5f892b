import { createStreamWindow } from './stream-window.ts';

/** How the body after a head is delimited (RFC 9112 §6.3); `unknown` ends the reading. */
export type BodyFraming = { readonly bytes: number } | 'chunked' | 'until-close' | 'unknown';

export interface MessageReader {
  data(position: number, frame: Buffer, start: number, end: number): void;
}

export interface MessageReaderOptions {
  /** One head, without its blank line, as latin1; `bodyAt` is the position after it. */
  readonly onHead: (head: string, bodyAt: number) => BodyFraming;
  /** The message's last byte is just before `end`; it may not have been seen yet. */
  readonly onBody: (end: number, bodyBytes: number) => void;
  readonly onMalformed: (reason: string) => void;
}

const maxHeadBytes = 16 * 1024;

/** Finds the messages in one direction of an HTTP/1 connection; bodies are skipped, not read. */
export function createMessageReader({ onHead, onBody, onMalformed }: MessageReaderOptions): MessageReader {
  let window = createStreamWindow(maxHeadBytes);
  let step: (() => boolean) | undefined = readHead;
  let bodyBytes = 0;

  function stop(reason?: string): false {
    if (reason !== undefined) onMalformed(reason);
    step = undefined;
    window = createStreamWindow(0);
    return false;
  }

  /** The text before `mark`, which the window then moves past; undefined until it is there. */
  function take(mark: string): string | undefined {
    const known = window.known();
    const at = known.indexOf(mark);
    if (at < 0) {
      if (known.length === maxHeadBytes) stop(`no end of head or line in ${maxHeadBytes} bytes`);
      return undefined;
    }
    const text = known.toString('latin1', 0, at);
    window.advanceTo(window.base + at + mark.length);
    return text;
  }

  function endBody(end: number): boolean {
    onBody(end, bodyBytes);
    window.advanceTo(end);
    step = readHead;
    return true;
  }

  function readHead(): boolean {
    const head = take('\r\n\r\n');
    if (head === undefined) return false;
    const framing = onHead(head, window.base);
    if (framing === 'unknown' || framing === 'until-close') return stop();
    bodyBytes = 0;
    if (framing === 'chunked') {
      step = readChunkSize;
      return true;
    }
    bodyBytes = framing.bytes;
    return endBody(window.base + bodyBytes);
  }

  /** RFC 9112 §7.1. */
  function readChunkSize(): boolean {
    const line = take('\r\n');
    if (line === undefined) return false;
    const digits = /^([0-9a-f]{1,8})\s*(?:;|$)/i.exec(line)?.[1];
    if (digits === undefined) return stop('bad chunk size');
    const size = Number.parseInt(digits, 16);
    bodyBytes += size;
    if (size === 0) step = readTrailer;
    else window.advanceTo(window.base + size + 2);
    return true;
  }

  function readTrailer(): boolean {
    const line = take('\r\n');
    if (line === undefined) return false;
    return line === '' ? endBody(window.base) : true;
  }

  return {
    data(position, frame, start, end) {
      // Each step may move the window over more of the segment.
      do window.put(position, frame, start, end);
      while (step?.());
    },
  };
}
