import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseTarget, undecodable } from '../../model/served-name.ts';
import type { Clock } from '../clock.ts';
import type { ChosenFaults } from '../faults.ts';
import { refusal } from '../tree/refusal.ts';
import type { ServedEntry } from '../tree/served-entry.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { contentTypeOf } from './content-type.ts';
import { breakOff, cutShort, lengthHeaders, paceOf, saysWrongLength } from './faulty-body.ts';
import { locationOf } from './location.ts';
import { type ByteRange, parseRange } from './range.ts';

/** Outcome of a request: body bytes handed to the connection, and a remark for the event log. */
export interface Answered {
  readonly bytes: number;
  readonly note?: string;
}

const refusalStatus = { 'not-found': 404, 'unsafe-name': 403, unreadable: 500 } as const;

/** What a request is answered with if nothing goes wrong on purpose. */
export type Planned =
  | { readonly file: ServedEntry; readonly range: ByteRange | 'unsatisfiable' | undefined }
  | {
      readonly file?: never;
      readonly status: number;
      readonly text: string;
      readonly headers?: Headers;
      readonly note?: string;
    };

type Headers = Record<string, string>;

export async function plan(
  tree: ServedTree,
  { method, url = '', headers }: Pick<IncomingMessage, 'method' | 'url' | 'headers'>,
): Promise<Planned> {
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, text: 'Only GET and HEAD are served', headers: { Allow: 'GET, HEAD' } };
  }
  const name = parseTarget(url);
  if (name === undecodable) return { status: 400, text: undecodable.unsafe };
  const found = typeof name === 'string' ? await tree.lookup(name) : refusal('unsafe-name', name.unsafe);
  if (found.kind === 'refused') {
    return { status: refusalStatus[found.cause], text: found.cause, note: found.reason };
  }
  if (found.kind === 'redirect') {
    return { status: found.status, text: 'redirect', headers: { Location: locationOf(found.location) } };
  }
  // Without validators If-Range never matches, so the whole file is sent (RFC 9110 §13.1.5).
  return { file: found, range: headers['if-range'] ? undefined : parseRange(headers.range, found.bytes) };
}

interface Context {
  readonly faults: ChosenFaults<'http'>;
  readonly clock: Clock;
}

/** Answers a request as planned, apart from its faults. Ends the response, or the connection if the body cannot be completed. */
export async function answer(
  planned: Planned,
  { faults, clock }: Context,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Answered> {
  const status = faults.take('status');
  if (status !== undefined) {
    const retryAfter = faults.take('retryAfterSeconds');
    const headers = {
      ...(status < 400 ? { Location: request.url ?? '/' } : {}),
      ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    };
    return { ...refuse(response, { status, text: 'fault', headers }), note: 'a fault of the scenario' };
  }
  if (planned.file === undefined) return refuse(response, planned);
  const { file } = planned;
  const ignoresRange = faults.take('ignoreRange') !== undefined;
  const range = ignoresRange ? undefined : planned.range;
  if (range === 'unsatisfiable') {
    const headers = { 'Content-Range': `bytes */${file.bytes}` };
    return refuse(response, { status: 416, text: 'range not satisfiable', headers });
  }
  const span = range ?? { start: 0, end: file.bytes };
  const { start, end } = span;
  response.writeHead(range ? 206 : 200, {
    'Content-Type': contentTypeOf(file.name),
    ...lengthHeaders(response, end - start, faults),
    ...(ignoresRange ? {} : { 'Accept-Ranges': 'bytes' }),
    ...(range ? { 'Content-Range': `bytes ${start}-${end - 1}/${file.bytes}` } : {}),
  });
  if (request.method === 'HEAD') {
    response.end();
    return { bytes: 0 };
  }
  return sendBody(response, cutShort(file, span, faults), span, { faults, clock });
}

async function sendBody(
  response: ServerResponse,
  entry: ServedEntry,
  { start, end }: ByteRange,
  { faults, clock }: Context,
): Promise<Answered> {
  const { pieceBytes, wait } = paceOf(faults, clock, response);
  const stop = Math.min(end, entry.truncateToBytes ?? end);
  let position = start;
  // One buffer for the whole body: the kernel has its copy once the write is done.
  const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, Math.max(0, stop - start)));
  try {
    while (position < stop) {
      const length = Math.min(piece.length, stop - position);
      await entry.read(position, length, piece);
      await wait(length);
      if (response.destroyed) break;
      position += length;
      await written(response, piece.subarray(0, length));
    }
  } catch (error) {
    response.destroy();
    return { bytes: position - start, note: (error as Error).message };
  }
  const bytes = Math.max(0, position - start);
  if (response.destroyed) return { bytes };
  if (stop === end) {
    const { socket } = response;
    if (saysWrongLength(faults)) response.once('finish', () => socket?.destroySoon());
    response.end();
    return { bytes };
  }
  breakOff(response, faults);
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
  { status, text, headers = {}, note }: Extract<Planned, { status: number }>,
): Answered {
  const body = Buffer.from(`${text}\n`);
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    ...headers,
  });
  const isHead = response.req.method === 'HEAD';
  response.end(isHead ? undefined : body);
  const remark = note ?? (status >= 400 ? text : undefined);
  return { bytes: isHead ? 0 : body.length, ...(remark === undefined ? {} : { note: remark }) };
}
