import { macAt } from '../codecs/addresses.ts';
import { writeArp } from '../codecs/arp.ts';
import { ethernet, ethernetHeaderBytes, etherTypes, mtuBytes, writeEthernet } from '../codecs/ethernet.ts';
import { icmpTypes, writeEchoReply } from '../codecs/icmp.ts';
import { protocols } from '../codecs/ip.ts';
import { ipv4HeaderBytes, writeIpv4 } from '../codecs/ipv4.ts';
import type { ArpPacket, IcmpPacket } from '../codecs/packet.ts';
import { otherMac, type ServerAddresses } from './server-addresses.ts';

/** ARP and echo for the server's IPv4 address, and ARP for those it stands in for. `transmit` must be done with the frame when it returns. */
export function createIpv4Answers(addresses: ServerAddresses, transmit: (frame: Buffer) => void) {
  const { serverMac, serverIp, forwardedIps } = addresses;
  const scratch = Buffer.allocUnsafeSlow(ethernetHeaderBytes + mtuBytes);
  /** Addresses that another host answers for, and whom its first answer is told to. */
  const occupied = new Map<number, (() => void) | undefined>();

  const macOf = (ip: number): Buffer | undefined => {
    if (ip === serverIp || forwardedIps.has(ip)) return serverMac;
    return occupied.has(ip) ? otherMac : undefined;
  };

  return {
    occupy(ip: number, probed?: () => void): void {
      if (!occupied.has(ip)) occupied.set(ip, probed);
    },
    arp({ frame, arp }: ArpPacket): void {
      const senderMac = macOf(arp.targetIp);
      if (arp.op !== 'request' || senderMac === undefined) return;
      const asker = macAt(frame, arp.senderMacAt);
      writeEthernet(scratch, asker, senderMac, etherTypes.arp);
      const sender = { senderMac, senderIp: arp.targetIp };
      const end = writeArp(scratch, { op: 'reply', ...sender, targetMac: asker, targetIp: arp.senderIp });
      transmit(scratch.subarray(0, end));
      if (senderMac !== otherMac) return;
      occupied.get(arp.targetIp)?.();
      occupied.set(arp.targetIp, undefined);
    },
    icmp({ frame, ip, icmp }: IcmpPacket): void {
      const payloadBytes = ip.payloadEnd - ip.payloadStart;
      // Echo requests to a broadcast address may stay unanswered (RFC 1122 §3.2.2.6).
      const isOurs = frame.readUInt32BE(ip.destinationAt) === serverIp;
      if (icmp.type !== icmpTypes.echoRequest || !isOurs || payloadBytes > mtuBytes - ipv4HeaderBytes) return;
      const start = writeEthernet(scratch, macAt(frame, ethernet.sourceAt), serverMac, etherTypes.ipv4);
      const destination = frame.readUInt32BE(ip.sourceAt);
      const header = { source: serverIp, destination, protocol: protocols.icmp, payloadBytes };
      const reply = writeIpv4(scratch, start, header);
      writeEchoReply(scratch, reply, frame.subarray(ip.payloadStart, ip.payloadEnd));
      transmit(scratch.subarray(0, reply.payloadEnd));
    },
  };
}
