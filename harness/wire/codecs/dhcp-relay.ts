import { collectOptions } from './dhcp-options.ts';

/** The agent's option, and what is in it (RFC 3046 §2.0, RFC 3527, RFC 5107, RFC 8357). */
const agentOption = 82;
const circuitId = 1;
const linkSelection = 5;
const serverIdOverride = 11;
const relaySourcePort = 19;

const hopsAt = 3;
const giaddrAt = 24;
const optionsAt = 240;
const pad = 0;
const end = 255;
/** RFC 1542 §4.1.1: a message with more has gone in circles. */
const maxHops = 16;

/** What a relay agent says of itself. */
export interface Agent {
  /** Where replies reach it. */
  readonly giaddr: number;
  /** Its address on the client's network: it says which network that is, and stands for the server there. */
  readonly linkAddress: number;
  readonly circuitId: string;
}

const addressBytes = (address: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(address);
  return bytes;
};

function agentOptionOf({ linkAddress, circuitId: circuit }: Agent): Buffer {
  const link = addressBytes(linkAddress);
  const values: [code: number, value: Buffer][] = [
    [circuitId, Buffer.from(circuit)],
    [linkSelection, link],
    [serverIdOverride, link],
    [relaySourcePort, Buffer.alloc(0)],
  ];
  const value = Buffer.concat(values.flatMap(([code, bytes]) => [Buffer.of(code, bytes.length), bytes]));
  return Buffer.concat([Buffer.of(agentOption, value.length), value]);
}

/** Where the options of a message end, and where its agent options lie. Its options are well formed. */
function placesIn(payload: Buffer): { endAt: number; agent: [from: number, to: number][] } {
  const agent: [number, number][] = [];
  let at = optionsAt;
  while (at < payload.length && payload[at] !== end) {
    const next = payload[at] === pad ? at + 1 : at + 2 + (payload[at + 1] as number);
    if (payload[at] === agentOption) agent.push([at, next]);
    at = next;
  }
  return { endAt: at, agent };
}

const brokenOptions = (payload: Buffer): string | undefined => {
  const collected = collectOptions(payload.subarray(optionsAt), Buffer.alloc(0), Buffer.alloc(0));
  return 'malformed' in collected ? collected.malformed : undefined;
};

/**
 * A client's message as an agent passes it on (RFC 1542 §4.1.1, RFC 3046 §2.1): one hop more, the agent's address, and its
 * option, the last one; all else unchanged. `payload` is a DHCP message of its fixed length at least.
 */
export function relayedRequest(payload: Buffer, agent: Agent): { relayed: Buffer } | { refused: string } {
  const hops = payload[hopsAt] as number;
  if (hops >= maxHops) return { refused: `it has passed ${hops} relay agents` };
  // A client's network has no other agent: its replies would go wherever the client says.
  if (payload.readUInt32BE(giaddrAt) !== 0) return { refused: 'it names a relay agent already' };
  const broken = brokenOptions(payload);
  if (broken !== undefined) return { refused: broken };
  const { endAt, agent: already } = placesIn(payload);
  if (already.length > 0) return { refused: 'it has an agent option (82) already' };
  const parts = [payload.subarray(0, endAt), agentOptionOf(agent), Buffer.of(end)];
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const relayed = Buffer.concat(parts, Math.max(bytes, payload.length));
  relayed[hopsAt] = hops + 1;
  relayed.writeUInt32BE(agent.giaddr, giaddrAt);
  return { relayed };
}

/** A server's reply as its client gets it: without the agent's option (RFC 3046 §2.1), and as long as it was. */
export function relayedReply(payload: Buffer): { relayed: Buffer } | { refused: string } {
  const broken = brokenOptions(payload);
  if (broken !== undefined) return { refused: broken };
  const kept: Buffer[] = [];
  let from = 0;
  for (const [start, stop] of placesIn(payload).agent) {
    kept.push(payload.subarray(from, start));
    from = stop;
  }
  return { relayed: Buffer.concat([...kept, payload.subarray(from)], payload.length) };
}
