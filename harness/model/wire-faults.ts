import { z } from 'zod';
import { choiceSchema, faultSpan, isNeverInForce, neverInForce } from './fault-choice.ts';

/** Protocols that a fault can pick frames by, and the messages of those that have types. */
const faultMessages = {
  arp: ['request', 'reply'],
  icmp: [],
  icmpv6: ['router-solicitation', 'router-advertisement', 'neighbor-solicitation', 'neighbor-advertisement'],
  dhcp: ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'],
  dhcp6: [
    ...['solicit', 'advertise', 'request', 'confirm', 'renew', 'rebind', 'reply', 'release', 'decline'],
    'information-request',
  ],
  tftp: ['rrq', 'wrq', 'data', 'ack', 'error', 'oack'],
  /** `data` is any segment with a payload. */
  tcp: ['syn', 'fin', 'rst', 'data'],
} as const;
export type FaultProtocol = keyof typeof faultMessages;

/** Messages that only one end sends; the rest go both ways. */
const senders: Partial<Record<FaultProtocol, Readonly<Record<Way, readonly string[]>>>> = {
  icmpv6: { 'from-guest': ['router-solicitation'], 'to-guest': ['router-advertisement'] },
  dhcp: {
    'from-guest': ['discover', 'request', 'decline', 'release', 'inform'],
    'to-guest': ['offer', 'ack', 'nak'],
  },
  dhcp6: {
    'from-guest': ['solicit', 'request', 'confirm', 'renew', 'rebind', 'release', 'decline', 'information-request'],
    'to-guest': ['advertise', 'reply'],
  },
  tftp: { 'from-guest': ['rrq', 'wrq'], 'to-guest': ['oack'] },
};

const ways = ['from-guest', 'to-guest'] as const;
type Way = (typeof ways)[number];

/** Protocols for which a frame can have these. */
const having: Record<'port' | 'name', readonly FaultProtocol[]> = {
  port: ['dhcp', 'dhcp6', 'tftp', 'tcp'],
  /** Their frames belong to a file. */
  name: ['tftp', 'tcp'],
};

const protocols = Object.keys(faultMessages) as [FaultProtocol, ...FaultProtocol[]];

/** What the check below says about one protocol, for editors. */
const matchOf = (protocol: FaultProtocol) => {
  const messages = faultMessages[protocol];
  const without = (['port', 'name'] as const).filter((key) => !having[key].includes(protocol));
  return {
    if: { properties: { protocol: { const: protocol } }, required: ['protocol'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: {
        message: messages.length > 0 ? { enum: messages } : false,
        ...Object.fromEntries(without.map((key) => [key, false])),
      },
    },
  };
};

const matchSchema = z
  .strictObject({
    protocol: z.enum(protocols).optional(),
    message: z.string().optional(),
    /** UDP or TCP, at either end. */
    port: z.int().min(1).max(65535).optional(),
    /**
     * Served name of the file that the guest's port asked for last, by TFTP or by HTTP without TLS; `*` for any text. A
     * frame whose file is not known does not match.
     */
    name: z.string().min(1).max(1024).optional(),
  })
  .superRefine((match, context) => {
    const { protocol, message } = match;
    for (const key of ['port', 'name'] as const) {
      if (match[key] === undefined || protocol === undefined || having[key].includes(protocol)) continue;
      const expected = `expected with ${having[key].join(' or ')}: a frame of ${protocol} has none`;
      context.addIssue({ code: 'custom', path: [key], message: expected });
    }
    if (message === undefined) return;
    const known: readonly string[] = protocol === undefined ? [] : faultMessages[protocol];
    if (known.includes(message)) return;
    const expected = known.length > 0 ? `one of ${known.join(', ')}` : 'a protocol that has messages';
    context.addIssue({ code: 'custom', path: ['message'], message: `expected ${expected}` });
  })
  .meta({ dependentRequired: { message: ['protocol'] }, allOf: protocols.map(matchOf) });

const downMs = z.int().positive().max(600_000);

const actions = {
  drop: choiceSchema.optional(),
  duplicate: choiceSchema.optional(),
  /** Swaps a frame with the next one of its direction that matches. */
  reorder: choiceSchema.optional(),
  /**
   * Flips a bit of the payload; with `mendChecksum` below, so that nobody can notice. A frame without one, such as a bare
   * acknowledgement of TCP, is left alone and not counted.
   */
  corrupt: choiceSchema.optional(),
  /** Cuts a frame to its first `bytes`; one that is no longer, without padding, is not counted. */
  truncate: z.strictObject({ bytes: z.int().min(14), of: choiceSchema.default(1) }).optional(),
  /** Drops frames longer than this, as a link of a smaller MTU does; without the Ethernet header. */
  mtu: z.int().min(68).optional(),
  /** Always, or at random within a range. */
  delayMs: z
    .union([
      z.number().positive().max(60_000),
      z
        .tuple([z.number().nonnegative(), z.number().positive().max(60_000)])
        .refine(([least, most]) => least <= most, { message: 'expected the shorter delay first' }),
    ])
    .optional(),
  /** Of each direction: frames wait for those before them, and for their own last byte. */
  bytesPerSecond: z.int().min(100).optional(),
  /**
   * Takes the guest's link down for this long: once in each boot of a case, with `from` alone, which in ms counts from the
   * first power-on; or each time that such a frame has passed.
   */
  linkDownMs: z.union([downMs, z.strictObject({ ms: downMs, of: choiceSchema })]).optional(),
};
export type WireFaultAction = keyof typeof actions;
export const wireFaultActions = Object.keys(actions) as WireFaultAction[];

type Refusal = readonly [path: string[], message: string];

/** The end that never sends what a fault is to pick. */
function refuseSilentEnd({ on, match: { protocol, message } }: Fault): Refusal[] {
  const sentBy = protocol && senders[protocol];
  const other = ways.find((way) => way !== on);
  if (on === undefined || message === undefined || !sentBy || !other || !sentBy[other].includes(message)) return [];
  return [[['on'], `expected ${other}: ${protocol} ${message} never goes ${on}`]];
}

/** A link goes down for all frames both ways; without one that it goes down after, nothing can be matched. */
function refuseBesideLink(fault: Fault): Refusal[] {
  if (typeof fault.linkDownMs !== 'number') return [];
  const beside = ['on', 'until', ...wireFaultActions.filter((action) => action !== 'linkDownMs')] as const;
  const given: string[] = beside.filter((key) => fault[key] !== undefined);
  if (Object.keys(fault.match).length > 0) given.push('match');
  const why =
    'expected without linkDownMs in ms alone, which takes the whole link down, once: give it { ms, of } too, or a fault of its own';
  return given.map((key): Refusal => [[key], why]);
}

function refuseWithoutEffect(fault: Fault): Refusal[] {
  const { mendChecksum, corrupt } = fault;
  return [
    ...(wireFaultActions.some((action) => fault[action] !== undefined)
      ? []
      : ([[[], `a fault does something: one of ${wireFaultActions.join(', ')}`]] as const)),
    ...(mendChecksum && corrupt === undefined
      ? ([[['mendChecksum'], 'expected with corrupt: nothing else leaves a checksum to mend']] as const)
      : []),
    ...(isNeverInForce(fault) ? ([[['until'], neverInForce]] as const) : []),
  ].map(([path, message]): Refusal => [[...path], message]);
}

const fields = z.strictObject({
  /** Names the server where a fault is one of the harness's own servers. */
  server: z.never().optional(),
  /** Both ways by default: each then counts its own frames, so that `{ "first": 2 }` is the first two of each. */
  on: z.enum(ways).optional(),
  match: matchSchema.default({}),
  ...faultSpan,
  mendChecksum: z.literal(true).optional(),
  ...actions,
});
type Fault = z.infer<typeof fields>;

/**
 * Something the network does to frames on purpose. The same seed does the same to the same frames of a direction, however
 * far apart they are and however those of the two directions interleave.
 */
export const wireFaultSchema = fields
  .superRefine((fault, context) => {
    const refusals = [refuseSilentEnd, refuseBesideLink, refuseWithoutEffect].flatMap((refuse) => refuse(fault));
    for (const [path, message] of refusals) context.addIssue({ code: 'custom', path: [...path], message });
  })
  .meta({
    anyOf: wireFaultActions.map((action) => ({ required: [action] })),
    dependentRequired: { mendChecksum: ['corrupt'] },
  });
export type WireFault = z.infer<typeof wireFaultSchema>;
