import type { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Certificate } from '../../model/certificate.ts';
import { tlsAlerts } from '../../model/server-faults.ts';
import type { Guard } from '../../wire/guard.ts';
import type { ServerCertificate } from '../certificates/authority.ts';
import type { ServerFaults } from '../faults.ts';

type KeyAndCertificate = Pick<ServerCertificate, 'key' | 'cert'>;

export interface TlsFaults {
  readonly faults: ServerFaults<'tls'>;
  /** Those that a fault may put in place of the server's own. */
  readonly certificates: Partial<Record<Certificate, KeyAndCertificate>>;
}

/** A fatal alert record (RFC 5246 §6.2.1, §7.2). */
const alertRecord = (code: number): Buffer => Buffer.of(21, 3, 1, 0, 2, 2, code);

/** Has an HTTPS server's connections meet the faults, each before its handshake. */
export function spoilConnections(
  server: HttpServer | HttpsServer,
  own: KeyAndCertificate,
  { faults, certificates, guard }: TlsFaults & { guard: Guard },
): void {
  if (!(server instanceof HttpsServer)) return;
  const handshakes = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on(
    'connection',
    guard('a TLS connection', (socket: Socket) => {
      const chosen = faults.choose({ what: 'connection', matches: () => true });
      const alert = chosen.take('alert');
      if (alert !== undefined) {
        socket.on('error', () => {});
        socket.once('data', () => socket.end(alertRecord(tlsAlerts[alert])));
        return;
      }
      const certificate = chosen.take('certificate');
      server.setSecureContext((certificate && certificates[certificate]) ?? own);
      for (const handshake of handshakes) handshake.call(server, socket);
    }),
  );
}
