import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTarget, undecodable } from '../../model/served-name.ts';
import type { ChosenFaults } from '../faults.ts';
import { refusal } from '../tree/refusal.ts';
import type { ServedEntry } from '../tree/served-entry.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { contentTypeOf } from './content-type.ts';
import { cutShort, endsSilently, lengthHeaders, paceOf } from './faulty-body.ts';
import { locationOf } from './location.ts';
import { type ByteRange, parseRange } from './range.ts';

/** Outcome of a request: body bytes handed to the connection, and a remark for the event log. */
export interface Answered {
  readonly bytes: number;
  readonly note?: string;
}

const refusalStatus = { 'not-found': 404, 'unsafe-name': 403, unreadable: 500 } as const;

/** Answers one GET or HEAD from the tree. Ends the response, or the connection if the body cannot be completed. */
export async function answer(
  { tree, faults }: { tree: ServedTree; faults: ChosenFaults<'http'> },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answered> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return refuse(response, 405, 'Only GET and HEAD are served', { Allow: 'GET, HEAD' });
  }
  const name = parseTarget(request.url ?? '');
  if (name === undecodable) return refuse(response, 400, undecodable.unsafe);
  const status = faults.take('status');
  if (status !== undefined) {
    const retryAfter = faults.take('retryAfterSeconds');
    const headers = {
      ...(status < 400 ? { Location: request.url ?? '/' } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    };
    return { ...refuse(response, status, 'fault', headers), note: 'a fault of the scenario' };
  }
  const found = typeof name === 'string' ? await tree.lookup(name) : refusal('unsafe-name', name.unsafe);
  if (found.kind === 'refused') {
    return { ...refuse(response, refusalStatus[found.cause], found.cause), note: found.reason };
  }
  if (found.kind === 'redirect') {
    return refuse(response, found.status, 'redirect', { Location: locationOf(found.location) });
  }
  // Without validators If-Range never matches, so the whole file is sent (RFC 9110 §13.1.5).
  const ignoresRange = faults.get('ignoreRange') !== undefined;
  if (request.headers.range !== undefined) faults.take('ignoreRange');
  const range =
    request.headers['if-range'] || ignoresRange ? undefined : parseRange(request.headers.range, found.bytes);
  if (range === 'unsatisfiable') {
    return refuse(response, 416, 'range not satisfiable', { 'Content-Range': `bytes */${found.bytes}` });
  }
  const span = range ?? { start: 0, end: found.bytes };
  const { start, end } = span;
  response.writeHead(range ? 206 : 200, {
    'Content-Type': contentTypeOf(found.name),
    ...lengthHeaders(response, end - start, faults),
    ...(ignoresRange ? {} : { 'Accept-Ranges': 'bytes' }),
    ...(range ? { 'Content-Range': `bytes ${start}-${end - 1}/${found.bytes}` } : {}),
  });
  if (request.method === 'HEAD') {
    response.end();
    return { bytes: 0 };
  }
  return sendBody(response, cutShort(found, faults), span, faults);
}

async function sendBody(
  response: ServerResponse,
  entry: ServedEntry,
  { start, end }: ByteRange,
  faults: ChosenFaults<'http'>,
): Promise<Answered> {
  const { pieceBytes, wait } = paceOf(faults);
  const stop = Math.min(end, entry.truncateToBytes ?? end);
  let position = start;
  // One buffer for the whole body: the kernel has its copy once the write is done.
  const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, Math.max(0, stop - start)));
  try {
    while (position < stop && !response.destroyed) {
      const length = Math.min(piece.length, stop - position);
      await entry.read(position, length, piece);
      position += length;
      await written(response, piece.subarray(0, length));
      await wait();
    }
  } catch (error) {
    response.destroy();
    return { bytes: position - start, note: (error as Error).message };
  }
  const bytes = Math.max(0, position - start);
  if (response.destroyed) return { bytes };
  if (stop === end) {
    const { socket } = response;
    if (endsSilently(faults)) response.once('finish', () => socket?.destroySoon());
    response.end();
    return { bytes };
  }
  response.flushHeaders();
  response.socket?.destroySoon();
  return { bytes, note: 'cut short by truncateToBytes' };
}

/** Resolves when the connection has taken the piece or is closed. */
function written(response: ServerResponse, piece: Buffer): Promise<void> {
  // Writing to a destroyed response would raise an error that nobody handles.
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      response.off('close', done);
      resolve();
    };
    response.on('close', done);
    response.write(piece, done);
  });
}

function refuse(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Answered {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    ...headers,
  });
  const isHead = response.req.method === 'HEAD';
  response.end(isHead ? undefined : body);
  return { bytes: isHead ? 0 : body.length, ...(status >= 400 ? { note: text } : {}) };
}
