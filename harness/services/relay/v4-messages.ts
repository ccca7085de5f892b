import { parseIpv4Address } from '../../wire/codecs/addresses.ts';
import { type DhcpMessage, parseDhcp } from '../../wire/codecs/dhcp.ts';
import { type Agent, relayedReply, relayedRequest } from '../../wire/codecs/dhcp-relay.ts';
import type { UdpPeer } from '../../wire/stack/udp-endpoint.ts';
import { linkName, type RelayProtocol } from './dhcp-relay.ts';

const serverPort = 67;
const clientPort = 68;
const limitedBroadcast = '255.255.255.255';
const unset = '0.0.0.0';

/** Where a reply goes on the client's network (RFC 1542 §4.1.2). */
function peerOf({ broadcast, yiaddr, ciaddr, mac }: DhcpMessage): UdpPeer {
  const ip = yiaddr === unset ? ciaddr : yiaddr;
  if (broadcast || ip === unset) return { mac: 'ff:ff:ff:ff:ff:ff', ip: limitedBroadcast, port: clientPort };
  return { mac, ip, port: clientPort };
}

/** DHCPv4 by an agent at `address` (RFC 1542 §4, RFC 3046), which is `linkAddress` on the clients' network. */
export function relayV4(address: string, linkAddress: string): RelayProtocol {
  const agent: Agent = {
    giaddr: parseIpv4Address(address) as number,
    linkAddress: parseIpv4Address(linkAddress) as number,
    circuitId: linkName,
  };
  /** Who asked, by xid. */
  const asked = new Map<number, string>();
  return {
    port: serverPort,
    request({ payload }) {
      const parsed = parseDhcp(payload);
      // The sniffer reports malformed ones.
      if ('malformed' in parsed) return undefined;
      const { op, xid, mac } = parsed.message;
      if (op !== 1) return { refused: 'a reply, sent to a server' };
      const request = relayedRequest(payload, agent);
      // A refused message does not count towards the bound on relayed ones, and is not kept.
      if ('relayed' in request) asked.set(xid, mac);
      return request;
    },
    reply(payload) {
      const parsed = parseDhcp(payload);
      if ('malformed' in parsed) return { refused: parsed.malformed };
      const { message } = parsed;
      if (message.op !== 2) return { refused: 'a request' };
      if (message.giaddr !== address) return { refused: 'for another relay agent (giaddr)' };
      if (asked.get(message.xid) !== message.mac) return { refused: 'to a message that was not relayed (xid, chaddr)' };
      const reply = relayedReply(payload, agent);
      return 'refused' in reply ? reply : { ...reply, to: peerOf(message) };
    },
  };
}
