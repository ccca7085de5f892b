import { boundReached, recordBounds } from '../model/bounds.ts';
import type { EventSink } from '../model/events.ts';
import type { Network } from '../model/plan.ts';
import type { Capture } from './capture/capture.ts';
import { createMalformedLog, type Malformed } from './codecs/malformed.ts';
import { dissect, type Packet } from './codecs/packet.ts';
import type { Faults } from './faults/faults.ts';
import { createGuard } from './guard.ts';
import { createSniffer } from './sniff/sniffer.ts';
import { createForeignServer } from './stack/foreign-server.ts';
import type { Link } from './stack/link.ts';
import { createStack } from './stack/stack.ts';
import type { UdpEndpoint } from './stack/udp-endpoint.ts';
import { createUplink, type TcpForward } from './stack/uplink.ts';
import { createVlan } from './stack/vlan.ts';

export interface WireOptions {
  readonly network: Network;
  /** The guest's NIC. */
  readonly nic: Link;
  /** QEMU's user-mode stack, for TCP; without it every TCP connection is refused. */
  readonly uplink?: Link;
  /** A server of the user's, on the same network. */
  readonly foreign?: Link;
  readonly capture?: Capture;
  readonly emit: EventSink;
  /** Milliseconds since the case started, by a monotonic clock. */
  readonly now: () => number;
  /** Which loopback port of the host serves a port of `network.tcp`; the same one by default. */
  readonly tcpTargets?: ReadonlyMap<number, number>;
  /** TCP services at addresses of servers elsewhere, and the loopback port of the host that stands in for each. */
  readonly forwards?: readonly TcpForward[];
  readonly faults?: Faults | undefined;
}

interface Traffic {
  frames: number;
  bytes: number;
}

export interface Wire {
  readonly udp: UdpEndpoint;
  /** At an address of a server elsewhere, for which the harness stands in. */
  udpAt(ip: string): UdpEndpoint;
  /** From now on another host answers ARP, or neighbour solicitations, for this address; `probed` is called once, when it first has. */
  occupy(ip: string, probed?: () => void): void;
  readonly stats: { readonly fromGuest: Readonly<Traffic>; readonly toGuest: Readonly<Traffic> };
  /** Closes ports, links and capture; rejects with a `disk` error if the capture could not be written. */
  close(): Promise<void>;
}

/**
 * The network the guest's NIC is on: a server host (ARP, echo, router advertisement, UDP), a firewall to
 * the uplink for TCP, a server of the user's if there is one, and the sniffer and capture that see every frame of both directions.
 */
export function createWire(options: WireOptions): Wire {
  const { network, nic, uplink, foreign, capture, emit, now, tcpTargets, forwards, faults } = options;
  const guard = createGuard(emit);
  const malformed = createMalformedLog(emit);
  const idle = createIdleBound(emit);
  const sniffer = createSniffer({ network, now, emit, malformed });
  const stack = createStack(network, toGuest, malformed);
  const tcp = createUplink({
    network,
    nic,
    uplink,
    tcpTargets,
    forwards,
    toGuest,
    malformed,
    guard,
    refused: (address, port) => emit({ source: 'wire', type: 'tcp-refused', address, port }),
  });
  const provisioner = createForeignServer({
    network,
    nic,
    foreign,
    toGuest,
    malformed: (reason) => malformed('server', 'link', reason),
    guard,
  });
  const vlan = network.vlan === undefined ? undefined : createVlan(network.vlan);
  const fromGuestTraffic: Traffic = { frames: 0, bytes: 0 };
  const toGuestTraffic: Traffic = { frames: 0, bytes: 0 };

  let nicIsReady = true;
  function toGuest(sent: Buffer): boolean {
    if (faults === undefined) return reachGuest(sent, false);
    faults(sent, 'to-guest', (frame) => {
      nicIsReady = reachGuest(frame, frame !== sent);
    });
    return nicIsReady;
  }

  /** `verify` a frame that a fault may have damaged: the guest drops a damaged one, so that it is evidence of nothing. */
  function reachGuest(frame: Buffer, verify: boolean): boolean {
    const onLink = vlan?.sent(frame) ?? frame;
    count(toGuestTraffic, onLink);
    capture?.frame('server', onLink, now());
    const packet = dissect(frame, verify);
    if (packet.malformed) malformed('server', packet.malformed.layer, packet.malformed.reason);
    else sniffer.packet('server', packet);
    return nic.send([onLink]);
  }

  function fromGuest(onLink: Buffer): void {
    count(fromGuestTraffic, onLink);
    capture?.frame('guest', onLink, now());
    const frame = vlan === undefined ? onLink : vlan.received(onLink);
    if (frame === undefined) {
      idle();
      return;
    }
    const packet = dissect(frame, true);
    if (packet.malformed) {
      malformed('guest', packet.malformed.layer, packet.malformed.reason);
      idle();
      return;
    }
    sniffer.packet('guest', packet);
    if (faults === undefined) reachServer(packet);
    else faults(frame, 'from-guest', (arrived) => reachServer(arrived === frame ? packet : dissect(arrived, true)));
  }

  /** A frame that is damaged when it arrives is dropped there. */
  function reachServer(arrived: Packet | Malformed): void {
    if (arrived.malformed) return;
    const isPassedOn = provisioner.receive(arrived);
    const isServed = arrived.kind === 'tcp' ? tcp.fromGuest(arrived) : stack.receive(arrived);
    if (!isServed && !isPassedOn) idle();
  }

  // DHCP and TFTP servers run inside this call.
  nic.onFrame(guard('the handling of a frame', fromGuest));
  nic.onMalformed((reason) => {
    malformed('guest', 'link', reason);
    idle();
  });
  uplink?.onMalformed((reason) => malformed('server', 'link', reason));

  return {
    udp: stack.udp,
    udpAt: stack.udpAt,
    occupy: stack.occupy,
    stats: { fromGuest: fromGuestTraffic, toGuest: toGuestTraffic },
    async close() {
      stack.close();
      nic.close();
      uplink?.close();
      foreign?.close();
      await capture?.close();
    },
  };
}

/** Counts frames that reach no service, up to the bound. */
function createIdleBound(emit: EventSink): () => void {
  let frames = 0;
  return () => {
    frames++;
    if (frames === recordBounds.idleFrames) emit(boundReached('idleFrames'));
  };
}

function count(traffic: Traffic, frame: Buffer): void {
  traffic.frames++;
  traffic.bytes += frame.length;
}
