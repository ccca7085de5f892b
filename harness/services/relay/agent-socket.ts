import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { HarnessError } from '../../model/errors.ts';
import { type Endpoint, endpointText } from '../../model/relay.ts';

export interface AgentSocket {
  /** Hears the server alone. */
  readonly socket: Socket;
  /** Its own, where the server's replies go. */
  readonly address: string;
  readonly port: number;
  /** Why only a server that answers to the port asked from (RFC 8357) can be heard. */
  readonly deaf?: string;
}

/** Taken by another agent, or by a server on all addresses. */
const tries = 4;

/** Any loopback address but the first network's, where servers are. */
const someLoopbackAddress = (): string => `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;

async function bound(address: string, port: number): Promise<Socket> {
  // Servers that listen on all addresses of an interface allow others to listen on one.
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

async function bindAgent(port: number): Promise<AgentSocket> {
  let why = '';
  for (let tried = 0; tried < tries; tried++) {
    const address = someLoopbackAddress();
    try {
      return { socket: await bound(address, port), address, port };
    } catch (error) {
      why = codeOf(error);
      if (why !== 'EADDRINUSE') break;
    }
  }
  const address = someLoopbackAddress();
  const socket = await bound(address, 0);
  return { socket, address, port: socket.address().port, deaf: why };
}

/**
 * A relay agent's socket to a server on loopback. Servers answer an agent at its address (giaddr) and the port that they
 * listen on themselves (RFC 2131 §4.1), unless they know better (RFC 8357): so the agent has a loopback address of its
 * own, and that port if it can be had.
 */
export async function openAgentSocket(server: Endpoint): Promise<AgentSocket> {
  try {
    const agent = await bindAgent(server.port);
    agent.socket.connect(server.port, server.host);
    await once(agent.socket, 'connect');
    return agent;
  } catch (error) {
    throw new HarnessError('provisioner-failed', `no relay agent for ${endpointText(server)}: ${codeOf(error)}`, {
      hint: 'It needs a loopback address of its own, of those from 127.1.0.1 on, which Linux has.',
    });
  }
}
