import { z } from 'zod';

export const dhcpMessageTypes = ['discover', 'offer', 'request', 'decline', 'ack', 'nak', 'release', 'inform'] as const;
export type DhcpMessageType = (typeof dhcpMessageTypes)[number];
export const dhcpMessageTypeSchema = z.enum(dhcpMessageTypes);

/**
 * One raw DHCP option of a reply (RFC 2132). `set` replaces whatever the server would send, `add`
 * appends to it, `withhold` leaves it out. `on` limits it to some reply types.
 */
const rawOptionSchema = z.union([
  z.strictObject({
    code: z.int().min(1).max(254),
    op: z.enum(['set', 'add']),
    /** Exactly one form: hex bytes, ASCII text (with `{{server}}` and the like filled in), or IPv4 addresses. */
    value: z.union([
      z.strictObject({ hex: z.string().regex(/^([0-9a-fA-F]{2}[ :]?)*$/, 'hex bytes, such as "06 01 08 ff"') }),
      z.strictObject({ ascii: z.string() }),
      z.strictObject({ ip: z.array(z.ipv4()).min(1) }),
    ]),
    on: z.array(dhcpMessageTypeSchema).optional(),
  }),
  z.strictObject({
    code: z.int().min(1).max(254),
    op: z.literal('withhold'),
    on: z.array(dhcpMessageTypeSchema).optional(),
  }),
]);
export type RawOption = z.infer<typeof rawOptionSchema>;

/** Facts about a client that a rule or a fault may match on; all that are given must hold. */
export const bootConditionSchema = z.strictObject({
  /** Client system architecture, option 93 (RFC 4578 §2.1). */
  clientArch: z.array(z.int().min(0).max(0xffff)).optional(),
  /** Prefix of option 60. */
  vendorClass: z.string().optional(),
  /** Exact option 77. */
  userClass: z.string().optional(),
  /** UDP port a DHCPv4 client sends to: the DHCP server's, or the boot server's (PXE 2.1 §2.2.5). */
  port: z.literal([67, 4011]).optional(),
  /** Names of served files that the guest has already received in full. */
  served: z.array(z.string()).optional(),
  notServed: z.array(z.string()).optional(),
});

export type BootCondition = z.infer<typeof bootConditionSchema>;

/** An ordered policy: the first rule whose conditions hold decides what the client is offered. */
export const bootRuleSchema = z.strictObject({
  name: z.string().min(1),
  when: bootConditionSchema.default({}),
  /** Served name or full URL for `file` and option 67, with `{{server}}` and the like; absent: an address only. */
  file: z.string().optional(),
  /** `false`: such a client gets no reply at all. */
  answer: z.boolean().default(true),
  options: z.array(rawOptionSchema).default([]),
});
export type BootRule = z.infer<typeof bootRuleSchema>;
export type BootRuleInput = z.input<typeof bootRuleSchema>;
