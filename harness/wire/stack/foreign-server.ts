import type { Network } from '../../model/plan.ts';
import type { ProvisionerService } from '../../model/provisioner.ts';
import { isFor } from '../codecs/ethernet.ts';
import type { Packet } from '../codecs/packet.ts';
import type { Guard } from '../guard.ts';
import type { Link } from './link.ts';
import { serverAddressesOf } from './server-addresses.ts';

/** Of DHCP and proxyDHCP (PXE 2.1 §2.2.3), and of DHCPv6 (RFC 8415 §7.2). */
const serverPorts = { v4: [67, 4011], v6: [547] } as const;

export interface ForeignServerOptions {
  readonly network: Network;
  readonly nic: Link;
  /** The network interface of the user's server. */
  readonly foreign: Link | undefined;
  readonly toGuest: (frame: Buffer) => boolean;
  readonly malformed: (reason: string) => void;
  readonly guard: Guard;
}

export interface ForeignServer {
  /** Hands a frame from the guest to the user's server, unless it is for the harness's alone; true if it was handed on. */
  receive(packet: Packet): boolean;
}

/** A server on the same network as the harness's own: both get what is sent to all, and each what is sent to it. */
export function createForeignServer(options: ForeignServerOptions): ForeignServer {
  const { network, nic, foreign, toGuest, guard } = options;
  if (foreign === undefined) return { receive: () => false };
  const { serverMac, guestMac } = serverAddressesOf(network);
  const isOurs = asksUs(network);
  const receive = (frame: Buffer): void => {
    if (isFor(frame, guestMac) && !toGuest(frame)) foreign.pause();
  };
  foreign.onFrame(guard('the handling of a frame from the provisioner', receive));
  foreign.onMalformed(options.malformed);
  foreign.onDrain(() => nic.resume());
  nic.onDrain(() => foreign.resume());
  return {
    receive(packet) {
      const { frame } = packet;
      if ((isFor(frame, serverMac) && !isGroup(frame)) || isOurs(packet)) return false;
      if (!foreign.send([frame])) nic.pause();
      return true;
    },
  };
}

/** DHCP questions for the harness alone: two servers would answer, and which one is heard would be chance. */
function asksUs({ provisioner }: Network): (packet: Packet) => boolean {
  const serves = (...services: ProvisionerService[]) => services.some((one) => provisioner?.serves.includes(one));
  const ours = new Set<number>([
    ...(serves('dhcp', 'proxydhcp') ? [] : serverPorts.v4),
    ...(serves('dhcpv6') ? [] : serverPorts.v6),
  ]);
  return (packet) => packet.kind === 'udp' && ours.has(packet.udp.destinationPort);
}

const isGroup = (frame: Buffer): boolean => ((frame[0] as number) & 1) === 1;
