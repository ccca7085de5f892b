import type { Datagram, UdpEndpoint, UdpPeer } from '../../harness/wire/stack/udp-endpoint.ts';

export interface Sent {
  readonly fromPort: number;
  readonly to: UdpPeer;
  readonly payload: Buffer;
}

/** An endpoint without a network: what is sent goes to `onSent`, what arrives is handed to `deliver`. */
export function createMemoryEndpoint(onSent: (sent: Sent) => void) {
  const ports = new Map<number, (datagram: Datagram) => void>();
  let nextPort = 50_000;
  const bind: UdpEndpoint['bind'] = (port, onDatagram) => {
    ports.set(port, onDatagram);
    return {
      port,
      send: (payload, to) => onSent({ fromPort: port, to, payload: Buffer.from(payload) }),
      close: () => ports.delete(port),
    };
  };
  return {
    maxPayloadBytes: 1472,
    bind,
    bindEphemeral: (onDatagram: (datagram: Datagram) => void) => bind(nextPort++, onDatagram),
    deliver: (from: UdpPeer, port: number, payload: Buffer) =>
      ports.get(port)?.({ from, to: { ip: '192.168.10.1', port }, payload }),
    openPorts: () => [...ports.keys()],
  };
}
