import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import type { ImageKind } from '../../model/image-kinds.ts';
import type { MalformedLog } from '../codecs/malformed.ts';
import { isBodyless, parseRequestHead, parseResponseHead } from './http-head.ts';
import { type BodyFraming, createMessageReader } from './http-reader.ts';
import { imageHeadBytes, imageOf } from './image-of.ts';
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
}

const switchingProtocols = 101;

/** HTTP/1 (RFC 9112) as the guest sees it: heads become events, bodies are tracked by position only. */
export function createHttpSniffer(options: HttpSnifferOptions) {
  return createConversations((serverPort) => createHttpReader(serverPort, options));
}

function createHttpReader(port: number, { now, emit, malformed }: HttpSnifferOptions): ConversationReader {
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
    const { status, length, location, framing } = response;
    if (status === switchingProtocols) return 'unknown';
    if (status < 200) return framing;
    requests.shift();
    const { target } = request;
    emit({ source: 'wire', type: 'http-response', target, status, port, length, ...(location && { location }) });
    if (!isBodyless(status, request.method) && framing !== 'unknown') {
      const unsaid = typeof framing === 'string' ? framing : undefined;
      const head = unsaid === 'chunked' ? undefined : headAt(bodyAt);
      deliveries.push({ request, status, bodyAt, end: undefined, bodyBytes: 0, unsaid, head });
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
    const { request, status, bodyBytes: bytes } = delivery;
    const { target, askedAtMs } = request;
    const ms = now() - askedAtMs;
    emit({ source: 'wire', type: 'http-complete', target, status, port, bytes, ...imageIn(delivery), ms });
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
      if (from === 'server') for (const { head } of deliveries) head?.put(position, frame, start, end);
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

function imageIn({ head, bodyBytes }: Delivery): { image?: ImageKind } {
  const known = head?.known().subarray(0, bodyBytes);
  return known === undefined || known.length < Math.min(imageHeadBytes, bodyBytes) ? {} : { image: imageOf(known) };
}
