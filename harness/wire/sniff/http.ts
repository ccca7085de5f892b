import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import type { ImageKind } from '../../model/image-kinds.ts';
import type { MalformedLog } from '../codecs/malformed.ts';
import { isBodyless, parseRequestHead, parseResponseHead } from './http-head.ts';
import { type BodyFraming, createMessageReader } from './http-reader.ts';
import { imageHeadBytes, imageOf } from './image-of.ts';
import { createPartFiles, type PartFile, type PartFiles } from './part-files.ts';
import { createStreamWindow, type StreamWindow } from './stream-window.ts';
import { type ConversationReader, createConversations } from './tcp-conversations.ts';

interface HttpSnifferOptions {
  readonly now: () => number;
  readonly emit: EventSink;
  readonly malformed: MalformedLog;
}

interface Request {
  readonly method: string;
  readonly target: string;
  readonly askedAtMs: number;
}

/** A response whose last byte the guest has not acknowledged yet. */
interface Delivery {
  readonly request: Request;
  readonly status: number;
  readonly bodyAt: number;
  /** Undefined if the connection's end is the body's end, or until the last chunk is seen. */
  end: number | undefined;
  bodyBytes: number;
  /** Undefined: the head says how long the body is. */
  readonly unsaid: 'chunked' | 'until-close' | undefined;
  /** The body's first bytes, for what kind of file it is; undefined where chunk sizes are between them. */
  readonly head: StreamWindow | undefined;
  /** The file that the body is, or the rest of, and where in it the body begins. */
  readonly part: { readonly file: PartFile; readonly start: number } | undefined;
}

const switchingProtocols = 101;

/** HTTP/1 (RFC 9112) as the guest sees it: heads become events, bodies are tracked by position only. */
export function createHttpSniffer(options: HttpSnifferOptions) {
  const files = createPartFiles();
  return createConversations((serverPort) => createHttpReader(serverPort, files, options));
}

function createHttpReader(
  port: number,
  files: PartFiles,
  { now, emit, malformed }: HttpSnifferOptions,
): ConversationReader {
  const requests: Request[] = [];
  const deliveries: Delivery[] = [];
  /** How far the guest has acknowledged what the server sent. */
  let acknowledgedTo = 0;

  const guest = createMessageReader({
    onHead: (head) => {
      const request = parseRequestHead(head);
      if (request === undefined || requests.length >= tableBounds.sniffedRequests) {
        malformed('guest', 'http', request === undefined ? 'no request line' : 'too many requests in flight');
        return 'unknown';
      }
      const { method, target, host, framing } = request;
      requests.push({ method, target, askedAtMs: now() });
      emit({ source: 'wire', type: 'http-request', method, target, host, port });
      return framing;
    },
    onBody: () => {},
    onMalformed: (reason) => malformed('guest', 'http', reason),
  });

  function onResponseHead(head: string, bodyAt: number): BodyFraming {
    const [request] = requests;
    const response = request && parseResponseHead(head, request.method);
    if (request === undefined || response === undefined || deliveries.length >= tableBounds.sniffedRequests) {
      malformed('server', 'http', request === undefined ? 'response without a request' : 'no status line');
      return 'unknown';
    }
    const { status, length, location, rest, framing } = response;
    if (status === switchingProtocols) return 'unknown';
    if (status < 200) return framing;
    requests.shift();
    const { target } = request;
    emit({ source: 'wire', type: 'http-response', target, status, port, length, ...(location && { location }) });
    if (!isBodyless(status, request.method) && framing !== 'unknown') {
      const unsaid = typeof framing === 'string' ? framing : undefined;
      const head = unsaid === 'chunked' || status === 206 ? undefined : headAt(bodyAt);
      const begun = status === 200 && length !== null ? files.begin(target, length, head) : undefined;
      const file = begun ?? (rest && files.resume(target, rest));
      const part = file && { file, start: rest?.start ?? 0 };
      deliveries.push({ request, status, bodyAt, end: undefined, bodyBytes: 0, unsaid, head, part });
    }
    return framing;
  }

  const server = createMessageReader({
    onHead: onResponseHead,
    onBody: (end, bodyBytes) => {
      // Only the newest delivery can be open, and a response without a body has none.
      const delivery = deliveries.at(-1);
      if (delivery === undefined || delivery.end !== undefined) return;
      delivery.end = end;
      delivery.bodyBytes = bodyBytes;
      if (delivery.unsaid) sent(delivery, bodyBytes);
    },
    onMalformed: (reason) => malformed('server', 'http', reason),
  });

  function sent({ request: { target }, status }: Delivery, bytes: number): void {
    emit({ source: 'wire', type: 'http-sent', target, status, port, bytes });
  }

  function complete(delivery: Delivery): void {
    const { request, status, bodyBytes: bytes, part } = delivery;
    const { target, askedAtMs } = request;
    const ms = now() - askedAtMs;
    const resumed = part !== undefined && status === 206 ? { resumedAt: part.start } : {};
    const image = imageIn(part?.file.head ?? delivery.head, bytes + (part?.start ?? 0));
    emit({ source: 'wire', type: 'http-complete', target, status, port, bytes, ...resumed, ...image, ms });
  }

  function credit({ part, bodyAt, end = Number.POSITIVE_INFINITY }: Delivery, sentTo: number): void {
    const bytes = Math.min(sentTo, end) - bodyAt;
    if (part !== undefined && bytes > 0) part.file.sentBytes = Math.max(part.file.sentBytes, part.start + bytes);
  }

  /** Emitted as the server ends, before the guest can say anything of it. */
  function cutShort({ request: { target }, status, bodyAt, end }: Delivery, endsAt: number): void {
    const bytes = Math.max(0, endsAt - bodyAt);
    const length = end === undefined ? null : end - bodyAt;
    emit({ source: 'wire', type: 'http-cut-short', target, status, port, bytes, length });
  }

  return {
    data(from, position, frame, start, end) {
      const reader = from === 'guest' ? guest : server;
      reader.data(position, frame, start, end);
      if (from === 'guest') return;
      for (const delivery of deliveries) {
        delivery.head?.put(position, frame, start, end);
        credit(delivery, position + end - start);
      }
    },
    acknowledged(position, endAcknowledged) {
      acknowledgedTo = Math.max(acknowledgedTo, position);
      for (let [first] = deliveries; first !== undefined; [first] = deliveries) {
        const untilClose = first.unsaid === 'until-close';
        if (untilClose) first.bodyBytes = acknowledgedTo - first.bodyAt;
        const isDelivered = untilClose ? endAcknowledged : first.end !== undefined && acknowledgedTo >= first.end;
        if (!isDelivered) return;
        deliveries.shift();
        complete(first);
      }
    },
    ends(position) {
      for (const open of deliveries) if (open.unsaid === 'until-close') sent(open, position - open.bodyAt);
      const isCut = ({ unsaid, end }: Delivery): boolean =>
        unsaid !== 'until-close' && (end === undefined || end > position);
      for (const delivery of deliveries.filter(isCut)) {
        deliveries.splice(deliveries.indexOf(delivery), 1);
        cutShort(delivery, position);
      }
    },
  };
}

function headAt(position: number): StreamWindow {
  const head = createStreamWindow(imageHeadBytes);
  head.advanceTo(position);
  return head;
}

function imageIn(head: StreamWindow | undefined, fileBytes: number): { image?: ImageKind } {
  const known = head?.known().subarray(0, fileBytes);
  return known === undefined || known.length < Math.min(imageHeadBytes, fileBytes) ? {} : { image: imageOf(known) };
}
