import { collectOptions } from './dhcp-options.ts';

/** The agent's option, and what is in it (RFC 3046 §2.0, RFC 3527, RFC 5107, RFC 8357). */
const agentOption = 82;
const circuitId = 1;
const linkSelection = 5;
const serverIdOverride = 11;
const relaySourcePort = 19;

/** RFC 2132 §3.5: addresses, 4 bytes each. */
const routerOption = 3;

const hopsAt = 3;
const giaddrAt = 24;
const optionsAt = 240;
/** The first byte of 127.0.0.0/8. */
const loopbackNetwork = 127;
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

interface OptionPlace {
  readonly code: number;
  /** With its code and length, and up to the next one. */
  readonly from: number;
  readonly to: number;
}

/** Where the options of a message are, and where they end. They are well formed. */
function placesIn(payload: Buffer): { endAt: number; options: OptionPlace[] } {
  const options: OptionPlace[] = [];
  let at = optionsAt;
  while (at < payload.length && payload[at] !== end) {
    const code = payload[at] as number;
    const to = code === pad ? at + 1 : at + 2 + (payload[at + 1] as number);
    options.push({ code, from: at, to });
    at = to;
  }
  return { endAt: at, options };
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
  const { endAt, options } = placesIn(payload);
  if (options.some(({ code }) => code === agentOption)) return { refused: 'it has an agent option (82) already' };
  const parts = [payload.subarray(0, endAt), agentOptionOf(agent), Buffer.of(end)];
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  const relayed = Buffer.concat(parts, Math.max(bytes, payload.length));
  relayed[hopsAt] = hops + 1;
  relayed.writeUInt32BE(agent.giaddr, giaddrAt);
  return { relayed };
}

/**
 * A server's reply as its client gets it: without the agent's option (RFC 3046 §2.1), and as long as it was. Where the server
 * repeats an agent's loopback address, as giaddr and as the router, the client gets `linkAddress`: EDK II's PXE gives up
 * over a router on loopback. dnsmasq goes on naming the first agent that it was asked by.
 */
export function relayedReply(
  payload: Buffer,
  { linkAddress }: Pick<Agent, 'linkAddress'>,
): { relayed: Buffer } | { refused: string } {
  const broken = brokenOptions(payload);
  if (broken !== undefined) return { refused: broken };
  const { endAt, options } = placesIn(payload);
  const kept = options.filter(({ code }) => code !== agentOption).map(({ from, to }) => payload.subarray(from, to));
  const relayed = Buffer.concat([payload.subarray(0, optionsAt), ...kept, payload.subarray(endAt)], payload.length);
  relayed.writeUInt32BE(linkAddress, giaddrAt);
  for (const { code, from, to } of placesIn(relayed).options) {
    if (code !== routerOption) continue;
    for (let at = from + 2; at + 4 <= to; at += 4) {
      if (relayed[at] === loopbackNetwork) relayed.writeUInt32BE(linkAddress, at);
    }
  }
  return { relayed };
}
