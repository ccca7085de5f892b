import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { IpVersion } from '../../model/axes.ts';
import type { EventSink } from '../../model/events.ts';
import type { ServerCertificate } from '../certificates/authority.ts';
import { type Clock, systemClock } from '../clock.ts';
import { listenOnLoopback, type RunningServer } from '../loopback-server.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { answer } from './answer.ts';

export interface HttpServices {
  readonly tree: ServedTree;
  readonly emit: EventSink;
  /** With it the server speaks HTTPS. */
  readonly tls?: Pick<ServerCertificate, 'key' | 'cert'>;
  readonly clock?: Clock;
  /** Loopback of this family; QEMU's user-mode stack leads a guest's IPv6 to the host's. */
  readonly ipVersion?: IpVersion;
}

const maxHeaderBytes = 16 * 1024;
const limits = {
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  /** A guest may think for long between two files, and must not find its connection closed then. */
  keepAliveTimeout: 60_000,
  /** Silence in the middle of a response. */
  timeout: 120_000,
  maxConnections: 128,
} as const;

/** A read-only HTTP/1.1 server of the tree, each request told as `http/served` when its response is over. */
export async function startHttp({
  tree,
  emit,
  tls,
  clock = systemClock,
  ipVersion = 4,
}: HttpServices): Promise<RunningServer> {
  const spoken = new WeakSet<Socket>();
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const startedMs = clock.now();
    spoken.add(request.socket);
    const { method = '', url: target = '' } = request;
    const closed = new Promise<void>((resolve) => response.once('close', resolve));
    const failed = (error: Error) => {
      response.destroy();
      return { bytes: 0, note: error.message };
    };
    void answer(tree, request, response)
      .catch(failed)
      .then(async ({ bytes, note }) => {
        await closed;
        const remark = note ?? (response.writableFinished ? undefined : 'the guest closed the connection');
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
      });
  };
  const options = { maxHeaderSize: maxHeaderBytes };
  const server: Server = tls ? createTlsServer({ ...options, ...tls }, onRequest) : createServer(options, onRequest);
  Object.assign(server, limits);
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else socket.destroy();
  });
  const refused = (reason: string) => emit({ source: 'http', type: 'tls-refused', reason });
  server.on('tlsClientError', (error: Error) => refused(error.message));
  server.on('secureConnection', (socket: Socket) => {
    // Some guests look at the certificate only after the handshake, and leave without a word.
    socket.once('close', () => {
      if (!spoken.has(socket) && server.listening) refused('the guest closed the connection after the handshake');
    });
  });
  return listenOnLoopback(server, ipVersion);
}
