import { type Dhcp6MessageType, parseDhcp6 } from '../../wire/codecs/dhcp6.ts';
import { encodeRelayForward, parseRelayReply } from '../../wire/codecs/dhcp6-relay.ts';
import type { UdpPeer } from '../../wire/stack/udp-endpoint.ts';
import { linkName, type RelayProtocol } from './dhcp-relay.ts';

const serverPort = 547;
const clientPort = 546;
/** RFC 8415 §7.3. */
const fromServers: readonly Dhcp6MessageType[] = ['advertise', 'reply', 'reconfigure'];

/** DHCPv6 by an agent that is `linkAddress` on the clients' link (RFC 8415 §19). */
export function relayV6(linkAddress: string): RelayProtocol {
  const agent = { linkAddress, interfaceId: linkName };
  /** Who asked, by xid. */
  const asked = new Map<number, UdpPeer>();
  return {
    port: serverPort,
    request({ payload, from: { mac, ip } }) {
      const parsed = parseDhcp6(payload);
      // The sniffer reports malformed ones, and those of relay agents: a client's link has no other agent.
      if ('malformed' in parsed) return undefined;
      const { messageType, xid } = parsed.message;
      if (fromServers.includes(messageType)) return { refused: `a ${messageType}, sent to a server` };
      asked.set(xid, { mac, ip, port: clientPort });
      return { relayed: encodeRelayForward(payload, ip, agent) };
    },
    reply(payload) {
      const reply = parseRelayReply(payload, agent);
      if ('refused' in reply) return reply;
      const parsed = parseDhcp6(reply.message);
      if ('malformed' in parsed) return { refused: parsed.malformed };
      const { messageType, xid } = parsed.message;
      if (!fromServers.includes(messageType)) return { refused: `a ${messageType}, from a server` };
      const to = asked.get(xid);
      if (to === undefined || to.ip !== reply.peer) {
        return { refused: 'to a message that was not relayed (xid, peer-address)' };
      }
      return { relayed: reply.message, to };
    },
  };
}
