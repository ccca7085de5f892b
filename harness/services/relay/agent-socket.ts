import { randomInt } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { HarnessError } from '../../model/errors.ts';
import { type Endpoint, endpointText, isIp6Host } from '../../model/relay.ts';
import { loopbackAddress6, openLoopbackSocket } from './loopback-socket.ts';

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

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);

async function atAnyPort(address: string, deaf: string): Promise<AgentSocket> {
  const socket = await openLoopbackSocket(address, 0);
  return { socket, address, port: socket.address().port, deaf };
}

async function bindAgent({ host, port }: Endpoint): Promise<AgentSocket> {
  if (isIp6Host(host)) return atAnyPort(loopbackAddress6, `there is one loopback address, which has port ${port}`);
  let why = '';
  for (let tried = 0; tried < tries; tried++) {
    const address = someLoopbackAddress();
    try {
      return { socket: await openLoopbackSocket(address, port), address, port };
    } catch (error) {
      why = codeOf(error);
      if (why !== 'EADDRINUSE') break;
    }
  }
  return atAnyPort(
    someLoopbackAddress(),
    `port ${port} could not be opened at another loopback address (${why}; it takes a port from 1024 on, and a server on an ` +
      'address or interface of its own, as dnsmasq is with bind-interfaces)',
  );
}

/**
 * A relay agent's socket to a server on loopback. Servers answer an agent at its address and the port that they listen on
 * themselves (RFC 2131 §4.1, RFC 8415 §7.2), unless they know better (RFC 8357): so the agent has a loopback address of its
 * own, and that port if it can be had.
 */
export async function openAgentSocket(server: Endpoint): Promise<AgentSocket> {
  try {
    const agent = await bindAgent(server);
    agent.socket.connect(server.port, server.host);
    await once(agent.socket, 'connect');
    return agent;
  } catch (error) {
    throw new HarnessError('provisioner-failed', `no relay agent for ${endpointText(server)}: ${codeOf(error)}`, {
      hint: 'It needs a loopback address of its own, of those from 127.1.0.1 on, which Linux has.',
    });
  }
}
