import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { IpVersion } from '../model/axes.ts';
import type { Guard } from '../wire/guard.ts';

export const loopback: Readonly<Record<IpVersion, string>> = { 4: '127.0.0.1', 6: '::1' };

export interface RunningServer {
  /** On loopback. */
  readonly port: number;
  /** Ends all connections at once. */
  close(): Promise<void>;
}

/** Makes a TCP server listen on a free port of loopback only. A failure to accept later is a fault. */
export async function listenOnLoopback(
  server: Server,
  { ipVersion, guard }: { ipVersion: IpVersion; guard: Guard },
): Promise<RunningServer> {
  // All sockets: a TLS server does not list those still in their handshake.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.listen(0, loopback[ipVersion]);
  await once(server, 'listening');
  const failed = (error: Error): never => {
    throw error;
  };
  server.on('error', guard('a TCP server', failed));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}
