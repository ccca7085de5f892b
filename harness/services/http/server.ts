import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { IpVersion } from '../../model/axes.ts';
import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { createGuard, type Guard } from '../../wire/guard.ts';
import type { ServerCertificate } from '../certificates/authority.ts';
import { type Clock, systemClock } from '../clock.ts';
import { noFaults, type ServerFaults } from '../faults.ts';
import { listenOnLoopback, type RunningServer } from '../loopback-server.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { type Answered, answer, plan } from './answer.ts';
import { closeAfter } from './faulty-body.ts';
import { pause } from './pause.ts';
import { faultsOf } from './request-faults.ts';
import { spoilConnections, type TlsFaults } from './tls-faults.ts';
import { createTurns } from './turns.ts';

export interface HttpServices {
  readonly tree: ServedTree;
  readonly emit: EventSink;
  /** If given, the server speaks HTTPS. */
  readonly tls?: Pick<ServerCertificate, 'key' | 'cert'>;
  readonly faults?: ServerFaults<'http'>;
  readonly tlsFaults?: TlsFaults | undefined;
  readonly clock?: Clock;
  /** A connection on which nothing goes for this long in the middle of a response is closed. */
  readonly silenceMs?: number;
  /** Loopback of this family; QEMU's user-mode stack maps a guest's IPv6 to the host's. */
  readonly ipVersion?: IpVersion;
}

const maxHeaderBytes = 16 * 1024;
const limits = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  /** A guest may pause for long between two files, and must not find its connection closed. */
  keepAliveTimeout: 60_000,
  maxConnections: tableBounds.connections,
} as const;
const defaultSilenceMs = 120_000;

/** A read-only HTTP/1.1 server of the tree; each request is a `http/served` event when its response is over. */
export async function startHttp(services: HttpServices): Promise<RunningServer> {
  const { emit, tls, ipVersion = 4, silenceMs = defaultSilenceMs } = services;
  const guard = createGuard(emit);
  const turns = createTurns();
  const spoken = new WeakSet<Socket>();
  const serve = serving({ ...services, silenceMs });

  const onRequest = guard('an HTTP request', (request: IncomingMessage, response: ServerResponse) => {
    spoken.add(request.socket);
    const turn = turns.take(request.socket, () => serve(request, response));
    if (turn === undefined) request.socket.destroy();
    return turn;
  });
  const options = { maxHeaderSize: maxHeaderBytes };
  const server: Server = tls ? createTlsServer({ ...options, ...tls }, onRequest) : createServer(options, onRequest);
  Object.assign(server, limits, { timeout: silenceMs });
  refuseWhatIsNoRequest(server, guard);
  if (tls) reportRefusals(server, { guard, emit, spoken });
  if (tls && services.tlsFaults) spoilConnections(server, tls, { ...services.tlsFaults, guard });
  return listenOnLoopback(server, { ipVersion, guard });
}

/** Answers a request and, once its response is over, reports how it ended. */
function serving(services: HttpServices & { silenceMs: number }) {
  const { tree, emit, tls, silenceMs, clock = systemClock, faults = noFaults } = services;

  /** Undefined: a fault lets it wait forever. */
  async function respond(request: IncomingMessage, response: ServerResponse): Promise<Answered | undefined> {
    const planned = await plan(tree, request);
    const chosen = faultsOf({ request, response, planned }, faults);
    if (chosen.take('silent')) return undefined;
    const delayMs = chosen.take('delayMs');
    if (delayMs !== undefined) {
      // The silence is the server's own.
      response.setTimeout(0);
      await pause(response, clock, delayMs);
      if (response.destroyed) return { bytes: 0 };
      response.setTimeout(silenceMs);
    }
    if (chosen.get('closeAfterwards')) closeAfter(response, chosen);
    return answer(planned, { faults: chosen, clock }, request, response);
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedMs = clock.now();
    // A response that never got its turn never emits `close`.
    if (request.socket.destroyed) return;
    const isOver = new Promise((resolve) => response.once('close', resolve));
    // A broken connection is the guest's business.
    response.on('error', () => {});
    let wasSilent = false;
    response.on('timeout', () => {
      wasSilent = true;
      response.destroy();
    });
    const answered = await respond(request, response).catch((fault: unknown) => {
      response.destroy();
      throw fault;
    });
    if (answered === undefined) return;
    const { bytes, note } = answered;
    await isOver;
    const { method = '', url: target = '' } = request;
    const closed = wasSilent
      ? `nothing went over the connection for ${silenceMs / 1000} s`
      : 'the guest closed the connection';
    const remark = note ?? (response.writableFinished ? undefined : closed);
    emit({
      source: 'http',
      type: 'served',
      method,
      target,
      status: response.statusCode,
      bytes,
      ms: clock.now() - startedMs,
      tls: tls !== undefined,
      ...(remark === undefined ? {} : { note: remark }),
    });
  };
}

function refuseWhatIsNoRequest(server: Server, guard: Guard): void {
  const refuse = (_error: Error, socket: Socket): void => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  };
  server.on('clientError', guard('an HTTP connection', refuse));
}

/** Reports guests that reject the certificate: in the handshake, or by closing right after it. */
function reportRefusals(
  server: Server,
  { guard, emit, spoken }: { guard: Guard; emit: EventSink; spoken: WeakSet<Socket> },
): void {
  const refused = (reason: string) => emit({ source: 'http', type: 'tls-refused', reason });
  const onError = (error: Error): void => refused(error.message);
  const onClose = (socket: Socket): void => {
    if (!spoken.has(socket) && server.listening) refused('the guest closed the connection after the handshake');
  };
  server.on('tlsClientError', guard('a TLS handshake', onError));
  server.on('secureConnection', (socket: Socket) => {
    socket.once(
      'close',
      guard('a TLS connection', () => onClose(socket)),
    );
  });
}
