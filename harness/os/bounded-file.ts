import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';

/** Opens a regular file of at most `maxBytes`. A pipe is refused rather than waited on. Throws an Error that says what is wrong. */
export function openBounded(path: string, maxBytes: number): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new Error('not a regular file');
    if (stats.size > maxBytes) throw new Error(`it has ${stats.size} bytes, at most ${maxBytes} are read`);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function* chunksOf(path: string, maxBytes: number): Generator<Buffer> {
  const fd = openBounded(path, maxBytes);
  try {
    let left = maxBytes;
    for (;;) {
      const chunk = Buffer.allocUnsafe(1 << 16);
      const count = readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) return;
      // A file may grow while it is read.
      left -= count;
      if (left < 0) throw new Error(`it has more than ${maxBytes} bytes, which is as many as are read`);
      yield chunk.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}

/** The text of a regular file of at most `maxBytes`. Throws an Error that says what is wrong. */
export function readBoundedText(path: string, maxBytes: number): string {
  return Buffer.concat([...chunksOf(path, maxBytes)]).toString('utf8');
}

/**
 * Yields the lines of such a file that end in a line feed. A line of more than `maxLineBytes` yields undefined and ends
 * the iteration.
 */
export function* readBoundedLines(
  path: string,
  { maxBytes, maxLineBytes }: { maxBytes: number; maxLineBytes: number },
): Generator<string | undefined> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for (const chunk of chunksOf(path, maxBytes)) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...begun, chunk.subarray(from, end)]);
      if (line.length > maxLineBytes) return yield undefined;
      yield line.toString('utf8');
      begun = [];
      begunBytes = 0;
      from = end + 1;
    }
    begun.push(chunk.subarray(from));
    begunBytes += chunk.length - from;
    if (begunBytes > maxLineBytes) return yield undefined;
  }
}

/** More than twice the depth of any record the harness writes. */
export const recordMaxDepth = 64;

/** Parses untrusted JSON; refuses nesting beyond `maxDepth` before parsing. Throws an Error that says what is wrong. */
export function parseBoundedJson(text: string, maxDepth: number): unknown {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (quoted) {
      if (char === 0x5c) at += 1;
      else if (char === 0x22) quoted = false;
    } else if (char === 0x22) quoted = true;
    else if (char === 0x5b || char === 0x7b) {
      depth += 1;
      if (depth > maxDepth) throw new Error(`it is nested more than ${maxDepth} deep`);
    } else if (char === 0x5d || char === 0x7d) depth -= 1;
  }
  return JSON.parse(text);
}
