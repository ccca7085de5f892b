import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { type Endpoint, endpointText } from '../../model/relay.ts';
import { createMalformedLog } from '../../wire/codecs/malformed.ts';
import { createGuard } from '../../wire/guard.ts';
import type { Datagram, UdpEndpoint, UdpPeer } from '../../wire/stack/udp-endpoint.ts';
import { type AgentSocket, openAgentSocket } from './agent-socket.ts';
import { failureText } from './loopback-socket.ts';

type Relayed<T = unknown> = ({ relayed: Buffer } & T) | { refused: string };

/** What an agent does with the messages of one version of DHCP. */
export interface RelayProtocol {
  /** Where clients ask. */
  readonly port: number;
  /** Undefined for what is no message. */
  request(datagram: Datagram): Relayed | undefined;
  reply(payload: Buffer): Relayed<{ to: UdpPeer }>;
}

export interface DhcpRelayOptions {
  readonly server: Endpoint;
  readonly protocolOf: (agent: AgentSocket) => RelayProtocol;
  readonly emit: EventSink;
  /** Nothing can be said of the server. */
  onFailure(message: string): void;
}

export interface RunningRelay {
  close(): void;
}

/** The clients' network, for servers that go by it: circuit ID, Interface-Id. */
export const linkName = 'netboot-harness';

/** As many as a server that can be heard would have answered. */
const enoughAsks = 3;

const deafText = (server: Endpoint, why: string): string =>
  `${endpointText(server)} has not answered, or not where the harness could hear it: ${why}, and only a server that ` +
  'answers to the port it is asked from (RFC 8357) is heard at any other';

/**
 * A DHCP relay agent on `udp`, where the harness's own server would be, for a server on loopback. A client's messages are
 * passed on up to a bound; of the server's, only replies to those.
 */
export async function startDhcpRelay(
  udp: UdpEndpoint,
  { server, protocolOf, emit, onFailure }: DhcpRelayOptions,
): Promise<RunningRelay> {
  const guard = createGuard(emit);
  const malformed = createMalformedLog(emit);
  const agent = await openAgentSocket(server);
  const { socket, deaf } = agent;
  const protocol = protocolOf(agent);
  const counts = { asks: 0, replies: 0 };
  const tooMany = { refused: 'one message too many' };

  function fromGuest(datagram: Datagram): void {
    const request = counts.asks < tableBounds.relayedMessages ? protocol.request(datagram) : tooMany;
    if (request === undefined) return;
    if ('refused' in request) {
      malformed('guest', 'dhcp-relay', request.refused);
      return;
    }
    counts.asks++;
    socket.send(request.relayed, (error) => error && failed(error));
    if (deaf !== undefined && counts.asks === enoughAsks && counts.replies === 0) onFailure(deafText(server, deaf));
  }

  function fromServer(payload: Buffer): void {
    const reply = counts.replies < tableBounds.relayedMessages ? protocol.reply(payload) : tooMany;
    if ('refused' in reply) {
      malformed('server', 'dhcp-relay', reply.refused);
      return;
    }
    counts.replies++;
    port.send(reply.relayed, reply.to);
  }

  function failed(error: NodeJS.ErrnoException): void {
    onFailure(failureText({ what: 'DHCP', at: server, over: 'UDP' }, error));
  }

  const port = udp.bind(protocol.port, fromGuest);
  socket.on('message', guard('the relaying of a DHCP reply', fromServer));
  socket.on('error', guard('the relaying of DHCP', failed));
  const at = endpointText({ host: agent.address, port: agent.port });
  emit({ source: 'provisioner', type: 'relaying', service: 'dhcp', at, to: endpointText(server) });
  return {
    close() {
      port.close();
      socket.close();
    },
  };
}
