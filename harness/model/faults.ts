import { z } from 'zod';
import { stageSchema } from './stages.ts';

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

const protocols = Object.keys(faultMessages) as [FaultProtocol, ...FaultProtocol[]];

const matchSchema = z
  .strictObject({
    protocol: z.enum(protocols).optional(),
    message: z.string().optional(),
    /** UDP or TCP, at either end. */
    port: z.int().min(1).max(65535).optional(),
  })
  .superRefine(({ protocol, message }, context) => {
    if (message === undefined) return;
    const known: readonly string[] = protocol === undefined ? [] : faultMessages[protocol];
    if (known.includes(message)) return;
    const expected = known.length > 0 ? `one of ${known.join(', ')}` : 'a protocol that has messages';
    context.addIssue({ code: 'custom', path: ['message'], message: `expected ${expected}` });
  });

/** Which of the matching frames: by probability, or by their number, from 1. */
const choiceSchema = z.union([
  z.number().gt(0).max(1),
  z.strictObject({ first: z.int().positive() }),
  z.strictObject({ nth: z.int().positive() }),
  z.strictObject({ every: z.int().positive() }),
  /** All after this many. */
  z.strictObject({ after: z.int().nonnegative() }),
]);
export type Choice = z.infer<typeof choiceSchema>;

/** Once a stage is reached, or this long after the start of the case. */
const momentSchema = z.union([
  z.strictObject({ stage: stageSchema }),
  z.strictObject({ ms: z.number().nonnegative() }),
]);
export type Moment = z.infer<typeof momentSchema>;

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
export type FaultAction = keyof typeof actions;
export const faultActions = Object.keys(actions) as FaultAction[];

/** Something the network does to frames on purpose. The same seed does the same to the same frames. */
export const faultSchema = z
  .strictObject({
    /** Both ways by default. */
    on: z.enum(['from-guest', 'to-guest']).optional(),
    match: matchSchema.default({}),
    from: momentSchema.optional(),
    until: momentSchema.optional(),
    seed: z.int().nonnegative().default(1),
    mendChecksum: z.literal(true).optional(),
    ...actions,
  })
  .refine((fault) => faultActions.some((action) => fault[action] !== undefined), {
    message: `a fault does something: one of ${faultActions.join(', ')}`,
  });
export type Fault = z.infer<typeof faultSchema>;
