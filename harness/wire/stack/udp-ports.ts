import { HarnessError } from '../../model/errors.ts';
import {
  equalsAt,
  formatIpv4Address,
  formatIpv6Address,
  formatMac,
  ipv6Bytes,
  macBytes,
  parseIpv4Address,
  parseIpv6Address,
  parseMac,
} from '../codecs/addresses.ts';
import {
  broadcastMac,
  ethernet,
  ethernetHeaderBytes,
  etherTypes,
  mtuBytes,
  writeEthernet,
} from '../codecs/ethernet.ts';
import { protocols } from '../codecs/ip.ts';
import { ipv4HeaderBytes, writeIpv4 } from '../codecs/ipv4.ts';
import { ipv6HeaderBytes, writeIpv6 } from '../codecs/ipv6.ts';
import type { MalformedLog } from '../codecs/malformed.ts';
import type { UdpPacket } from '../codecs/packet.ts';
import { udpHeaderBytes, writeUdp } from '../codecs/udp.ts';
import type { ServerAddresses } from './server-addresses.ts';
import type { Datagram, UdpEndpoint, UdpPeer } from './udp-endpoint.ts';

const maxIpv4PayloadBytes = mtuBytes - ipv4HeaderBytes - udpHeaderBytes;
const maxIpv6PayloadBytes = mtuBytes - ipv6HeaderBytes - udpHeaderBytes;
/** The dynamic ports (RFC 6335 §6). */
const firstEphemeralPort = 49_152;
const lastPort = 65_535;
const limitedBroadcast = 0xffff_ffff;
const hopLimit = 64;

export interface UdpPorts extends UdpEndpoint {
  /** Delivers a datagram addressed to this host to its port; false if that is not bound. */
  receive(packet: UdpPacket): boolean;
  closeAll(): void;
}

type Route = { readonly mac: Buffer; readonly ipv4: number } | { readonly mac: Buffer; readonly ipv6: Buffer };

/** UDP over the wire; `transmit` must be done with the frame when it returns. */
export function createUdpPorts(
  addresses: ServerAddresses,
  transmit: (frame: Buffer) => void,
  malformed: MalformedLog,
): UdpPorts {
  const listeners = new Map<number, (datagram: Datagram) => void>();
  const remember = createPeerMemory();
  const scratch = Buffer.allocUnsafeSlow(ethernetHeaderBytes + mtuBytes);
  let nextEphemeralPort = firstEphemeralPort;
  // Nearly every datagram goes to the same peer as the one before.
  let lastPeer: UdpPeer | undefined;
  let lastRoute: Route | undefined;

  function routeTo(peer: UdpPeer): Route | undefined {
    if (peer !== lastPeer) {
      lastRoute = findRoute(peer, addresses);
      lastPeer = peer;
    }
    return lastRoute;
  }

  function send(port: number, payload: Buffer, to: UdpPeer): void {
    const route = routeTo(to);
    if (route === undefined) {
      malformed('server', 'udp', 'destination is not an address');
      return;
    }
    const isIpv4 = 'ipv4' in route;
    if (payload.length > (isIpv4 ? maxIpv4PayloadBytes : maxIpv6PayloadBytes)) {
      malformed('server', 'udp', 'payload larger than the MTU allows');
      return;
    }
    const etherType = isIpv4 ? etherTypes.ipv4 : etherTypes.ipv6;
    const start = writeEthernet(scratch, route.mac, addresses.serverMac, etherType);
    const payloadBytes = udpHeaderBytes + payload.length;
    const protocol = protocols.udp;
    const ip = isIpv4
      ? writeIpv4(scratch, start, { source: addresses.serverIp, destination: route.ipv4, protocol, payloadBytes })
      : writeIpv6(scratch, start, {
          source: sourceFor(route.ipv6, addresses),
          destination: route.ipv6,
          protocol,
          payloadBytes,
          hopLimit,
        });
    writeUdp(scratch, ip, { sourcePort: port, destinationPort: to.port }, payload);
    transmit(scratch.subarray(0, ip.payloadEnd));
  }

  function bind(port: number, onDatagram: (datagram: Datagram) => void) {
    if (listeners.has(port)) throw new HarnessError('internal', `UDP port ${port} of the wire is already bound`);
    listeners.set(port, onDatagram);
    return {
      port,
      send: (payload: Buffer, to: UdpPeer) => {
        if (listeners.get(port) === onDatagram) send(port, payload, to);
      },
      close: () => {
        if (listeners.get(port) === onDatagram) listeners.delete(port);
      },
    };
  }

  function findFreePort(): number {
    for (let tried = firstEphemeralPort; tried <= lastPort; tried++) {
      const port = nextEphemeralPort;
      nextEphemeralPort = port === lastPort ? firstEphemeralPort : port + 1;
      if (!listeners.has(port)) return port;
    }
    throw new HarnessError('internal', 'no free UDP port left on the wire');
  }

  return {
    maxPayloadBytes: maxIpv4PayloadBytes,
    bind,
    bindEphemeral: (onDatagram) => bind(findFreePort(), onDatagram),
    receive({ frame, ip, udp }) {
      const listener = listeners.get(udp.destinationPort);
      if (listener === undefined || udp.sourcePort === 0) return false;
      listener({
        from: remember.peer(frame, ip.version, ip.sourceAt, udp.sourcePort),
        to: { ip: remember.ownIp(frame, ip.version, ip.destinationAt), port: udp.destinationPort },
        payload: frame.subarray(udp.payloadStart, udp.payloadEnd),
      });
      return true;
    },
    closeAll: () => listeners.clear(),
  };
}

function findRoute({ mac: macText, ip }: UdpPeer, addresses: ServerAddresses): Route | undefined {
  const mac = macText === '' ? addresses.guestMac : parseMac(macText);
  if (mac === undefined) return undefined;
  const ipv4 = parseIpv4Address(ip);
  if (ipv4 !== undefined) {
    // A client without an address receives only broadcasts.
    if (ipv4 === 0 || ipv4 === limitedBroadcast) return { mac: broadcastMac, ipv4: limitedBroadcast };
    return { mac, ipv4 };
  }
  const ipv6 = parseIpv6Address(ip);
  if (ipv6 === undefined) return undefined;
  return ipv6[0] === 0xff ? { mac: groupMac(ipv6), ipv6 } : { mac, ipv6 };
}

/** RFC 2464 §7. */
function groupMac(group: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x33, 0x33]), group.subarray(12)]);
}

/** A link-local neighbour is answered from the link-local address (RFC 6724 §5, rule 2). */
function sourceFor(destination: Buffer, addresses: ServerAddresses): Buffer {
  const isLinkLocal = destination.readUInt16BE(0) === 0xfe80 || destination.readUInt16BE(0) === 0xff02;
  return isLinkLocal ? addresses.serverLinkLocal : (addresses.serverIpv6 ?? addresses.serverLinkLocal);
}

/** Caches the last addresses as text, so that a transfer does not format them for every block. */
function createPeerMemory() {
  const none = Buffer.alloc(0);
  let mac: Buffer = none;
  let ip: Buffer = none;
  let own: Buffer = none;
  let peer: UdpPeer = { mac: '', ip: '', port: -1 };
  let ownText = '';
  const lengthOf = (version: 4 | 6): number => (version === 4 ? 4 : ipv6Bytes);
  const isAt = (frame: Buffer, version: 4 | 6, at: number, known: Buffer): boolean =>
    known.length === lengthOf(version) && equalsAt(frame, at, known);
  const copyOf = (frame: Buffer, at: number, bytes: number): Buffer => Buffer.from(frame.subarray(at, at + bytes));

  return {
    peer(frame: Buffer, version: 4 | 6, ipAt: number, port: number): UdpPeer {
      const isLast = port === peer.port && isAt(frame, version, ipAt, ip) && equalsAt(frame, ethernet.sourceAt, mac);
      if (isLast) return peer;
      mac = copyOf(frame, ethernet.sourceAt, macBytes);
      ip = copyOf(frame, ipAt, lengthOf(version));
      peer = { mac: formatMac(frame, ethernet.sourceAt), ip: formatIp(frame, version, ipAt), port };
      return peer;
    },
    ownIp(frame: Buffer, version: 4 | 6, ipAt: number): string {
      if (isAt(frame, version, ipAt, own)) return ownText;
      own = copyOf(frame, ipAt, lengthOf(version));
      ownText = formatIp(frame, version, ipAt);
      return ownText;
    },
  };
}

function formatIp(frame: Buffer, version: 4 | 6, at: number): string {
  return version === 4 ? formatIpv4Address(frame.readUInt32BE(at)) : formatIpv6Address(frame, at);
}
