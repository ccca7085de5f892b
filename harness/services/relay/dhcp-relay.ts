import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import type { Network } from '../../model/plan.ts';
import { type Endpoint, endpointText } from '../../model/relay.ts';
import { parseIpv4Address } from '../../wire/codecs/addresses.ts';
import { type DhcpMessage, parseDhcp } from '../../wire/codecs/dhcp.ts';
import { type Agent, relayedReply, relayedRequest } from '../../wire/codecs/dhcp-relay.ts';
import { createMalformedLog } from '../../wire/codecs/malformed.ts';
import { createGuard } from '../../wire/guard.ts';
import type { Datagram, UdpEndpoint, UdpPeer } from '../../wire/stack/udp-endpoint.ts';
import { openAgentSocket } from './agent-socket.ts';

export interface DhcpRelayOptions {
  readonly server: Endpoint;
  readonly network: Pick<Network, 'serverIp'>;
  readonly emit: EventSink;
  /** Nothing can be said of the server. */
  onFailure(message: string): void;
}

export interface RunningRelay {
  close(): void;
}

const serverPort = 67;
const clientPort = 68;
const limitedBroadcast = '255.255.255.255';
const unset = '0.0.0.0';
const circuitId = 'netboot-harness';
/** As many as a server that can be heard would have answered. */
const enoughAsks = 3;

const deafText = (server: Endpoint, why: string): string =>
  `${endpointText(server)} has not answered, or not where the harness could hear it: port ${server.port} could not be ` +
  `opened at another loopback address (${why}), and only a server that answers to the port it is asked from (RFC 8357) ` +
  'is heard at any other; let it listen on a port from 1024 on, and on an address or interface of its own ' +
  '(dnsmasq: bind-interfaces)';

/** Where a reply goes on the client's network (RFC 1542 §4.1.2). */
function peerOf({ broadcast, yiaddr, ciaddr, mac }: DhcpMessage): UdpPeer {
  const ip = yiaddr === unset ? ciaddr : yiaddr;
  if (broadcast || ip === unset) return { mac: 'ff:ff:ff:ff:ff:ff', ip: limitedBroadcast, port: clientPort };
  return { mac, ip, port: clientPort };
}

/**
 * A DHCP relay agent (RFC 1542 §4, RFC 3046) on port 67 of `udp`, where the harness's own server would be, for a server on
 * loopback. A client's messages are passed on up to a bound; of the server's, only replies to those.
 */
export async function startDhcpRelay(udp: UdpEndpoint, options: DhcpRelayOptions): Promise<RunningRelay> {
  const { server, network, emit, onFailure } = options;
  const guard = createGuard(emit);
  const malformed = createMalformedLog(emit);
  const { socket, address, port: agentPort, deaf } = await openAgentSocket(server);
  const agent: Agent = {
    giaddr: parseIpv4Address(address) as number,
    linkAddress: parseIpv4Address(network.serverIp) as number,
    circuitId,
  };
  /** Who asked, by xid. */
  const asked = new Map<number, string>();
  const counts = { asks: 0, replies: 0 };

  function requestOf(payload: Buffer, { op }: DhcpMessage): { relayed: Buffer } | { refused: string } {
    if (op !== 1) return { refused: 'a reply, sent to a server' };
    if (counts.asks === tableBounds.relayedMessages) return { refused: 'one message too many' };
    return relayedRequest(payload, agent);
  }

  function fromGuest({ payload }: Datagram): void {
    const parsed = parseDhcp(payload);
    // The sniffer reports malformed ones.
    if ('malformed' in parsed) return;
    const { message } = parsed;
    const request = requestOf(payload, message);
    if ('refused' in request) {
      malformed('guest', 'dhcp-relay', request.refused);
      return;
    }
    counts.asks++;
    asked.set(message.xid, message.mac);
    socket.send(request.relayed, (error) => error && failed(error));
    if (deaf !== undefined && counts.asks === enoughAsks && counts.replies === 0) onFailure(deafText(server, deaf));
  }

  function replyOf(payload: Buffer, message: DhcpMessage): { relayed: Buffer } | { refused: string } {
    if (message.op !== 2) return { refused: 'a request' };
    if (message.giaddr !== address) return { refused: 'for another relay agent (giaddr)' };
    if (asked.get(message.xid) !== message.mac) return { refused: 'to a message that was not relayed (xid, chaddr)' };
    if (counts.replies === tableBounds.relayedMessages) return { refused: 'one message too many' };
    return relayedReply(payload);
  }

  function fromServer(payload: Buffer): void {
    const parsed = parseDhcp(payload);
    if ('malformed' in parsed) {
      malformed('server', 'dhcp-relay', parsed.malformed);
      return;
    }
    const reply = replyOf(payload, parsed.message);
    if ('refused' in reply) {
      malformed('server', 'dhcp-relay', reply.refused);
      return;
    }
    counts.replies++;
    port.send(reply.relayed, peerOf(parsed.message));
  }

  function failed({ code, message }: NodeJS.ErrnoException): void {
    const what = code === 'ECONNREFUSED' ? 'nothing listens there (connection refused)' : message;
    onFailure(`the DHCP server at ${endpointText(server)} (UDP): ${what}`);
  }

  const port = udp.bind(serverPort, fromGuest);
  socket.on('message', guard('the relaying of a DHCP reply', fromServer));
  socket.on('error', guard('the relaying of DHCP', failed));
  emit({
    source: 'provisioner',
    type: 'relaying',
    service: 'dhcp',
    at: `${address}:${agentPort}`,
    to: endpointText(server),
  });
  return {
    close() {
      port.close();
      socket.close();
    },
  };
}
