import { onTestFinished } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { type DhcpRelayOptions, startDhcpRelay } from '../../harness/services/relay/dhcp-relay.ts';
import type { UdpPeer } from '../../harness/wire/stack/udp-endpoint.ts';
import { openHostSocket } from './host-socket.ts';
import { createMemoryWire } from './memory-wire.ts';

interface RigOptions extends Pick<DhcpRelayOptions, 'protocolOf'> {
  client: UdpPeer;
  /** Where clients ask. */
  port: number;
  /** Of the server. */
  host: string;
  listen?: Parameters<typeof openHostSocket>[0];
}

/** A relay between a client on a wire in memory and a server's socket, until the test ends. */
export async function startRelayRig({ client, port, host, listen, protocolOf }: RigOptions) {
  const socket = await openHostSocket(listen);
  let isClosed = false;
  const close = (): void => {
    if (!isClosed) socket.close();
    isClosed = true;
  };
  onTestFinished(close);
  const server = { ...socket, close };
  const wire = createMemoryWire();
  const events: UntimedEvent[] = [];
  let fail = (_message: string): void => {};
  const failure = new Promise<string>((resolve) => {
    fail = resolve;
  });
  const relay = await startDhcpRelay(wire.udp, {
    server: { host, port: server.port },
    protocolOf,
    emit: (event) => events.push(event),
    onFailure: fail,
  });
  onTestFinished(() => relay.close());
  const ask = (payload: Buffer) => wire.deliver(client, port, payload);
  const dropped = () => events.flatMap((event) => (event.type === 'malformed' ? [event.reason] : []));
  return { server, wire, ask, dropped, failure, events };
}
