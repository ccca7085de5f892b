import assert from 'node:assert/strict';
import { equalsAt, parseIpv4Address, parseIpv6Address, parseMac } from '../../harness/wire/codecs/addresses.ts';
import { icmpv6Types } from '../../harness/wire/codecs/icmpv6.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import { network } from './recorded.ts';

const serverMac = parseMac(network.serverMac) as Buffer;
const serverIp = parseIpv4Address(network.serverIp);
const serverIpv6 = parseIpv6Address(network.ipv6.serverIp) as Buffer;

/** The VLAN that a frame is tagged for (IEEE 802.1Q), if it is. */
export const tagOf = (frame: Buffer): number | undefined =>
  frame.length >= 18 && frame.readUInt16BE(12) === 0x8100 ? frame.readUInt16BE(14) & 0x0fff : undefined;

export const untagged = (frame: Buffer): Buffer => Buffer.concat([frame.subarray(0, 12), frame.subarray(16)]);

/** What the guest gets is from the server and, but for segments of QEMU's user-mode stack, which pass as they are, whole. */
export function checkToGuest(frame: Buffer): void {
  assert.equal(frame.compare(serverMac, 0, 6, 6, 12), 0, 'a frame from another than the server');
  const packet = dissect(frame, false);
  if (!packet.malformed && packet.kind === 'tcp') return;
  const { malformed } = dissect(frame, true);
  assert.ok(!malformed, `the guest is sent a malformed frame: ${JSON.stringify(malformed)}`);
  assert.ok(frame.length <= 1514, `a frame of ${frame.length} bytes`);
}

/** What leaves the wire: segments to a listed port of the server, and answers to the user-mode stack's own questions. */
export function checkToUplink(frame: Buffer, isListed: (port: number) => boolean): void {
  const packet = dissect(frame, true);
  assert.ok(!packet.malformed, `a malformed frame left the wire: ${JSON.stringify(packet.malformed)}`);
  if (packet.kind === 'arp' && packet.arp.op === 'reply') return;
  if (packet.kind === 'icmpv6' && packet.icmpv6.type === icmpv6Types.neighborAdvertisement) return;
  assert.ok(packet.kind === 'tcp', `${packet.kind} left the wire`);
  const { ip, tcp } = packet;
  const isServer =
    ip.version === 4
      ? frame.readUInt32BE(ip.destinationAt) === serverIp
      : equalsAt(frame, ip.destinationAt, serverIpv6);
  assert.ok(isServer && isListed(tcp.destinationPort), `a segment to port ${tcp.destinationPort} left the wire`);
}
