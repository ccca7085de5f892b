import { z } from 'zod';
import { choiceSchema, faultSpan } from './fault-choice.ts';

/** Protocols that a fault can pick frames by, and the messages of those that have types. */
const faultMessages = {
  arp: ['request', 'reply'],
  icmp: [],
  icmpv6: ['router-solicitation', 'router-advertisement', 'neighbor-solicitation', 'neighbor-advertisement'],
  dhcp: ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'],
  dhcp6: ['solicit', 'advertise', 'request', 'renew', 'rebind', 'reply', 'release', 'information-request'],
  tftp: ['rrq', 'wrq', 'data', 'ack', 'error', 'oack'],
  /** `data` is any segment with a payload. */
  tcp: ['syn', 'fin', 'rst', 'data'],
} as const;
export type FaultProtocol = keyof typeof faultMessages;

/** Those whose frames belong to a file. */
const namedProtocols: readonly FaultProtocol[] = ['tftp', 'tcp'];

const protocols = Object.keys(faultMessages) as [FaultProtocol, ...FaultProtocol[]];

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
  .superRefine(({ protocol, message, name }, context) => {
    if (name !== undefined && protocol !== undefined && !namedProtocols.includes(protocol))
      context.addIssue({ code: 'custom', path: ['name'], message: `expected with ${namedProtocols.join(' or ')}` });
    if (message === undefined) return;
    const known: readonly string[] = protocol === undefined ? [] : faultMessages[protocol];
    if (known.includes(message)) return;
    const expected = known.length > 0 ? `one of ${known.join(', ')}` : 'a protocol that has messages';
    context.addIssue({ code: 'custom', path: ['message'], message: `expected ${expected}` });
  });

const actions = {
  drop: choiceSchema.optional(),
  duplicate: choiceSchema.optional(),
  /** Swaps a frame with the next one that matches. */
  reorder: choiceSchema.optional(),
  /** Flips a bit of the payload; with `mendChecksum` below, so that nobody can notice. */
  corrupt: choiceSchema.optional(),
  /** Cuts a frame to its first `bytes`. */
  truncate: z.strictObject({ bytes: z.int().min(14), of: choiceSchema.default(1) }).optional(),
  /** Drops frames longer than this, as a link of a smaller MTU does; without the Ethernet header. */
  mtu: z.int().min(68).optional(),
  /** Always, or at random within a range. */
  delayMs: z
    .union([z.number().positive().max(60_000), z.tuple([z.number().nonnegative(), z.number().max(60_000)])])
    .optional(),
  bytesPerSecond: z.int().min(100).optional(),
  /** Takes the guest's link down for this long, once. */
  linkDownMs: z.int().positive().max(600_000).optional(),
};
export type WireFaultAction = keyof typeof actions;
export const wireFaultActions = Object.keys(actions) as WireFaultAction[];

/** Something the network does to frames on purpose. The same seed does the same to the same frames. */
export const wireFaultSchema = z
  .strictObject({
    /** Names the server where a fault is one of the harness's own servers. */
    server: z.never().optional(),
    /** Both ways by default. */
    on: z.enum(['from-guest', 'to-guest']).optional(),
    match: matchSchema.default({}),
    ...faultSpan,
    mendChecksum: z.literal(true).optional(),
    ...actions,
  })
  .refine((fault) => wireFaultActions.some((action) => fault[action] !== undefined), {
    message: `a fault does something: one of ${wireFaultActions.join(', ')}`,
  });
export type WireFault = z.infer<typeof wireFaultSchema>;
