import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { unfetchable } from '../package-source.ts';

/** A file as a signed index describes it. */
export interface SignedFile {
  readonly sha256: string;
  readonly bytes: number;
}

const connectMs = 60_000;

/** The body of a response in chunks, at most `maxBytes`; undefined where the server has no such file. */
async function request(url: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | undefined> {
  const slow = new AbortController();
  const timer = setTimeout(() => slow.abort(), connectMs);
  try {
    const response = await fetch(url, { signal: AbortSignal.any([signal, slow.signal]) });
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok || response.body === null) throw unfetchable(`${url}: HTTP ${response.status}`);
    return response.body;
  } catch (error) {
    if (signal.aborted || !(error instanceof Error) || error.name === 'HarnessError') throw error;
    const reason = slow.signal.aborted ? `no answer within ${connectMs / 1000} s` : causeOf(error);
    throw unfetchable(`${url}: ${reason}`, 'Check the mirror named by --mirror or NETBOOT_DEBIAN_MIRROR.');
  } finally {
    clearTimeout(timer);
  }
}

/** fetch() hides the reason in `cause`. */
const causeOf = ({ cause, message }: Error): string => (cause instanceof Error ? cause.message : message);

async function* bounded(url: string, maxBytes: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const body = await request(url, signal);
  if (body === undefined) throw unfetchable(`${url}: not found`);
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw unfetchable(`${url}: it has more than ${maxBytes} bytes, which is as many as expected`);
    yield chunk;
  }
}

/** An unsigned file, small enough to hold; undefined where the server has none. */
export async function downloadText(url: string, maxBytes: number, signal: AbortSignal): Promise<string | undefined> {
  const body = await request(url, signal);
  if (body === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw unfetchable(`${url}: it has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Writes a file of exactly the signed length and hash to `path`; what is left after a rejection is not to be used. */
export async function downloadSigned(
  url: string,
  expected: SignedFile,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for await (const chunk of bounded(url, expected.bytes, signal)) {
      hash.update(chunk);
      await file.writeFile(chunk);
    }
  } finally {
    await file.close();
  }
  const sha256 = hash.digest('hex');
  if (sha256 === expected.sha256) return;
  throw unfetchable(
    `${url}: expected the SHA-256 ${expected.sha256} of the signed index, saw ${sha256}`,
    'The mirror is being updated, or someone changed the file: try again, or name another mirror.',
  );
}
