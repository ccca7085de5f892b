import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type Endpoint, endpointText, isIp6Host } from '../../model/relay.ts';

/** There is one. */
export const loopbackAddress6 = '::1';

/** A UDP socket at an address of this host's loopback; port 0 is any. */
export async function openLoopbackSocket(address: string, port: number): Promise<Socket> {
  // Servers that listen on all addresses of an interface allow others to listen on one.
  const socket = createSocket({ type: isIp6Host(address) ? 'udp6' : 'udp4', reuseAddr: true });
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Why nothing can be said of a server, from the error of asking it. */
export function failureText(
  { what, at, over }: { what: 'DHCP' | 'TFTP' | 'HTTP'; at: Endpoint; over: 'UDP' | 'TCP' },
  { code, message }: NodeJS.ErrnoException,
): string {
  const why = code === 'ECONNREFUSED' ? 'nothing listens there (connection refused)' : message;
  return `the ${what} server at ${endpointText(at)} (${over}): ${why}`;
}
