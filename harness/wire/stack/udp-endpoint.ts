/** A UDP peer as servers see it; `mac` is empty if the link has none (a loopback socket in tests). */
export interface UdpPeer {
  readonly mac: string;
  readonly ip: string;
  readonly port: number;
}

export interface Datagram {
  readonly from: UdpPeer;
  readonly to: { readonly ip: string; readonly port: number };
  /** Valid only during the call; copy what must outlive it. */
  readonly payload: Buffer;
}

/** One bound port on the harness's side of any link. */
export interface UdpPort {
  readonly port: number;
  /** Sends to `to`; `ip` 255.255.255.255 or `mac` ff:ff:ff:ff:ff:ff broadcasts. Silently drops if the guest is gone. */
  send(payload: Buffer, to: UdpPeer): void;
  close(): void;
}

/** Where services bind their ports: the userspace stack, or loopback sockets in tests. */
export interface UdpEndpoint {
  /** Largest UDP payload that fits a frame, for IPv4: 1472 on Ethernet. */
  readonly maxPayloadBytes: number;
  bind(port: number, onDatagram: (datagram: Datagram) => void): UdpPort;
  /** A free port of the dynamic range, for a TFTP transfer ID. */
  bindEphemeral(onDatagram: (datagram: Datagram) => void): UdpPort;
}
