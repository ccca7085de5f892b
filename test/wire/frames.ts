import { parseIpv4Address, parseIpv6Address, parseMac } from '../../harness/wire/codecs/addresses.ts';
import { etherTypes, writeEthernet } from '../../harness/wire/codecs/ethernet.ts';
import { type IpView, protocols } from '../../harness/wire/codecs/ip.ts';
import { writeIpv4 } from '../../harness/wire/codecs/ipv4.ts';
import { writeIpv6 } from '../../harness/wire/codecs/ipv6.ts';
import { tcpFlags } from '../../harness/wire/codecs/tcp.ts';
import { writeUdp } from '../../harness/wire/codecs/udp.ts';
import type { Link } from '../../harness/wire/stack/link.ts';

export const network = {
  serverMac: '52:54:00:00:00:01',
  serverIp: '10.0.2.2',
  guestMac: '52:54:00:12:34:56',
  guestIp: '10.0.2.15',
  netmask: '255.255.255.0',
  proxyDhcp: false,
  tcp: [
    { port: 80, service: 'http' as const },
    { port: 443, service: 'https' as const },
  ],
};

export const ipv6 = { serverIp: 'fd00::2', guestIp: 'fd00::f', managed: false };

/** A link in memory: what was sent is kept, what the guest sends is delivered by hand. */
export class MemoryLink implements Link {
  readonly sent: Buffer[] = [];
  full = false;
  paused = false;
  closed = false;
  #frameListeners: ((frame: Buffer) => void)[] = [];
  #drainListeners: (() => void)[] = [];

  onFrame(listener: (frame: Buffer) => void): void {
    this.#frameListeners.push(listener);
  }
  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }
  onMalformed(): void {}
  send(parts: readonly Buffer[]): boolean {
    this.sent.push(Buffer.concat(parts));
    return !this.full;
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  close(): void {
    this.closed = true;
  }
  deliver(frame: Buffer): void {
    for (const listener of this.#frameListeners) listener(Buffer.from(frame));
  }
  drain(): void {
    this.full = false;
    for (const listener of this.#drainListeners) listener();
  }
}

/** An endpoint as a frame names it. */
export interface End {
  readonly mac: string;
  readonly ip: string;
}
export const guest: End = { mac: network.guestMac, ip: network.guestIp };
export const server: End = { mac: network.serverMac, ip: network.serverIp };

function ipFrame(from: End, to: End, protocol: number, payloadBytes: number, hopLimit = 64) {
  const frame = Buffer.alloc(14 + 40 + payloadBytes);
  const isIpv6 = from.ip.includes(':');
  writeEthernet(frame, parseMac(to.mac)!, parseMac(from.mac)!, isIpv6 ? etherTypes.ipv6 : etherTypes.ipv4);
  const ip: IpView = isIpv6
    ? writeIpv6(frame, 14, {
        ...{ source: parseIpv6Address(from.ip)!, destination: parseIpv6Address(to.ip)! },
        ...{ protocol, payloadBytes, hopLimit },
      })
    : writeIpv4(frame, 14, {
        ...{ source: parseIpv4Address(from.ip)!, destination: parseIpv4Address(to.ip)! },
        ...{ protocol, payloadBytes },
      });
  return { frame: frame.subarray(0, ip.payloadEnd), ip };
}

export function udpFrame(from: End, to: End, sourcePort: number, destinationPort: number, payload: Buffer): Buffer {
  const { frame, ip } = ipFrame(from, to, protocols.udp, 8 + payload.length);
  writeUdp(frame, ip, { sourcePort, destinationPort }, payload);
  return frame;
}

/** An ICMP or ICMPv6 message whose checksum field is filled in here. */
export function icmpFrame(from: End, to: End, message: Buffer, hopLimit = 255): Buffer {
  const isIpv6 = from.ip.includes(':');
  const { frame, ip } = ipFrame(from, to, isIpv6 ? protocols.icmpv6 : protocols.icmp, message.length, hopLimit);
  message.copy(frame, ip.payloadStart);
  frame.writeUInt16BE(0, ip.payloadStart + 2);
  frame.writeUInt16BE(plainChecksum(frame, ip, isIpv6 ? protocols.icmpv6 : undefined), ip.payloadStart + 2);
  return frame;
}

export interface Segment {
  readonly from: 'guest' | 'server';
  readonly guestPort?: number;
  readonly serverPort?: number;
  readonly sequence: number;
  readonly acknowledgment?: number;
  readonly flags?: number;
  readonly data?: Buffer | string;
  readonly ends?: { guest: End; server: End };
}

export function tcpFrame(segment: Segment): Buffer {
  const { guestPort = 5000, serverPort = 80, ends = { guest, server } } = segment;
  const data = Buffer.from(segment.data ?? '');
  const [from, to] = segment.from === 'guest' ? [ends.guest, ends.server] : [ends.server, ends.guest];
  const [source, destination] = segment.from === 'guest' ? [guestPort, serverPort] : [serverPort, guestPort];
  const { frame, ip } = ipFrame(from, to, protocols.tcp, 20 + data.length);
  const at = ip.payloadStart;
  frame.writeUInt16BE(source, at);
  frame.writeUInt16BE(destination, at + 2);
  frame.writeUInt32BE(segment.sequence >>> 0, at + 4);
  frame.writeUInt32BE((segment.acknowledgment ?? 0) >>> 0, at + 8);
  frame[at + 12] = 0x50;
  frame[at + 13] = segment.flags ?? tcpFlags.ack;
  frame.writeUInt16BE(0xffff, at + 14);
  data.copy(frame, at + 20);
  frame.writeUInt16BE(plainChecksum(frame, ip, protocols.tcp), at + 16);
  return frame;
}

/** IEEE 802.1Q-2018 §9.5: after the addresses. */
export function tagged(frame: Buffer, id: number, priority = 0): Buffer {
  const tag = Buffer.of(0x81, 0x00, (priority << 5) | (id >> 8), id & 0xff);
  return Buffer.concat([frame.subarray(0, 12), tag, frame.subarray(12)]);
}

/** A plain Internet checksum, to check the fast one against. */
function plainChecksum(frame: Buffer, ip: IpView, pseudoProtocol: number | undefined): number {
  const length = ip.payloadEnd - ip.payloadStart;
  const pseudo = Buffer.alloc(4);
  pseudo.writeUInt16BE(pseudoProtocol ?? 0, 0);
  pseudo.writeUInt16BE(length, 2);
  const addresses = frame.subarray(ip.sourceAt, ip.destinationAt + (ip.version === 4 ? 4 : 16));
  const covered = pseudoProtocol === undefined ? [] : [addresses, pseudo];
  const all = Buffer.concat([...covered, frame.subarray(ip.payloadStart, ip.payloadEnd), Buffer.alloc(length % 2)]);
  let sum = 0;
  for (let at = 0; at < all.length; at += 2) {
    sum += all.readUInt16BE(at);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return ~sum & 0xffff;
}
