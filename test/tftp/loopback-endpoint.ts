import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Datagram, UdpEndpoint, UdpPort } from '../../harness/wire/stack/udp-endpoint.ts';

/** Real sockets on 127.0.0.1; a request for port 69 gets the free one that `open` took. */
export async function openLoopbackEndpoint(): Promise<UdpEndpoint & { readonly requestPort: number }> {
  const listening = createSocket('udp4').bind(0, '127.0.0.1');
  await once(listening, 'listening');
  const wrap = (socket: typeof listening, onDatagram: (datagram: Datagram) => void): UdpPort => {
    socket.on('message', (payload, { address, port }) =>
      onDatagram({ from: { mac: '', ip: address, port }, to: { ip: '127.0.0.1', port: 0 }, payload }),
    );
    // A socket sends only after it is bound; closed at once, it would drop what it was given.
    const sends: Promise<void>[] = [];
    return {
      port: 0,
      send: (payload, to) => {
        sends.push(new Promise((sent) => socket.send(Buffer.from(payload), to.port, to.ip, () => sent())));
      },
      close: () => void Promise.all(sends).then(() => socket.close()),
    };
  };
  return {
    maxPayloadBytes: 1472,
    requestPort: listening.address().port,
    bind: (_port, onDatagram) => wrap(listening, onDatagram),
    bindEphemeral: (onDatagram) => wrap(createSocket('udp4').bind(0, '127.0.0.1'), onDatagram),
  };
}
