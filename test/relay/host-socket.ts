import { createSocket, type RemoteInfo, type SocketOptions } from 'node:dgram';
import { once } from 'node:events';

type From = Pick<RemoteInfo, 'address' | 'port'>;

/** A server's socket on loopback: what arrives can be waited for, in order. */
export async function openHostSocket(options: Partial<SocketOptions & { address: string }> = {}) {
  const { address = '127.0.0.1', ...more } = options;
  const socket = createSocket({ type: 'udp4', ...more });
  const arrived: [Buffer, RemoteInfo][] = [];
  let onArrival = (): void => {};
  socket.on('message', (payload, from) => {
    arrived.push([payload, from]);
    onArrival();
  });
  socket.bind(0, address);
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    async next(): Promise<{ payload: Buffer; from: From }> {
      while (arrived.length === 0) {
        await new Promise<void>((resolve) => {
          onArrival = resolve;
        });
      }
      const [payload, { address, port }] = arrived.shift() as [Buffer, RemoteInfo];
      return { payload, from: { address, port } };
    },
    send: (payload: Buffer, { port, address: to }: From): Promise<void> =>
      new Promise((resolve, reject) => socket.send(payload, port, to, (error) => (error ? reject(error) : resolve()))),
    close: () => void socket.close(),
  };
}
