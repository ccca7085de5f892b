import { connect, createServer, type Socket } from 'node:net';
import { tableBounds } from '../../model/bounds.ts';
import { endpointText, type PlannedForward } from '../../model/relay.ts';
import { createGuard } from '../../wire/guard.ts';
import { listenOnLoopback, type RunningServer } from '../loopback-server.ts';
import { failureText } from './loopback-socket.ts';
import type { ForwardOptions } from './tftp-forward.ts';

/**
 * Passes each connection on to an HTTP server on loopback, byte by byte; the uplink leads the guest's here. A connection
 * that the server refuses is reset.
 */
export function startHttpForward(
  { address, port, to }: PlannedForward,
  { emit, onFailure }: Omit<ForwardOptions, 'clock'>,
): Promise<RunningServer> {
  const guard = createGuard(emit);

  function failed(error: NodeJS.ErrnoException): void {
    // Others say how a connection ended, which the guest sees too.
    if (error.code !== 'ECONNREFUSED' && error.code !== 'EADDRNOTAVAIL') return;
    onFailure(failureText({ what: 'HTTP', at: to, over: 'TCP' }, error));
  }

  function forward(guest: Socket): void {
    const server = connect(to);
    server.on('error', guard('a forwarded HTTP connection', failed));
    guest.on('error', () => {});
    // Either end may close its half first; what ends in an error is reset on the other side too.
    guest.pipe(server).pipe(guest);
    server.once('close', (hadError) => (hadError ? guest.resetAndDestroy() : guest.end()));
    guest.once('close', () => server.destroy());
  }

  const server = createServer({ allowHalfOpen: true }, guard('a forwarded HTTP connection', forward));
  server.maxConnections = tableBounds.connections;
  emit({ source: 'provisioner', type: 'relaying', service: 'http', at: `${address}:${port}`, to: endpointText(to) });
  // Where the uplink's user-mode stack looks for it.
  return listenOnLoopback(server, { ipVersion: 4, guard });
}
