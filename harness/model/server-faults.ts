import { z } from 'zod';
import { bootConditionSchema } from './boot-rule.ts';
import { certificateSchema } from './certificate.ts';
import { choiceSchema, faultSpan, isNeverInForce, type Moment, neverInForce } from './fault-choice.ts';

const done = z.literal(true).optional();
const delayMs = z.int().positive().max(600_000).optional();
/** Of 32 bits (RFC 2132 §9.2, RFC 8415 §21.6). */
const leaseSeconds = z.int().positive().max(0xffff_ffff).optional();
const nonzero = z
  .int()
  .refine((value) => value !== 0, { message: 'by 0 nothing would be wrong: expected another number' })
  .meta({ not: { const: 0 } });

/**
 * What a DHCPv4 server does to a client, and which of a client's messages it does it to: those that are answered.
 * `metBy` has the messages that an action is limited to, `leaves` the others that still do something next to an action.
 */
const dhcp = {
  messages: ['discover', 'request', 'inform'],
  actions: {
    /** No answer at all. */
    silent: done,
    delayMs,
    /** DHCPNAK in place of the answer. */
    nak: done,
    /** A second server offers another address too, before the first one or after it, and keeps its offer. */
    secondServer: z
      // 255 bytes: one option 67.
      .strictObject({ file: z.string().min(1).max(255).optional(), answersFirst: z.literal(true).optional() })
      .optional(),
    /** Server identifier (54) of a server that is not there. */
    otherServerId: done,
    leaseSeconds,
    withoutBootFile: done,
    /** The message type comes last. */
    reverseOptions: done,
    /** These are sent twice. */
    repeatOptions: z.array(z.int().min(1).max(254)).min(1).optional(),
    /** Options longer than this are split (RFC 3396 §5). */
    splitOptionsAt: z.int().min(1).max(254).optional(),
    /** Options go into these fields first (RFC 2132 §9.3); what those held goes into options 67 and 66. */
    overload: z.enum(['file', 'sname', 'both']).optional(),
    /** Padded to this length, IP and UDP headers included. */
    datagramBytes: z.int().min(328).max(1500).optional(),
    /** Another host answers ARP for the address that is offered; met when it does. */
    addressInUse: done,
  },
  /** All of these are about addresses, with which a boot server (port 4011) has nothing to do. */
  metBy: {
    nak: ['request'],
    secondServer: ['discover'],
    leaseSeconds: ['discover', 'request'],
    addressInUse: ['discover', 'request'],
  },
  leaves: {
    silent: [],
    nak: [
      ...['silent', 'delayMs', 'otherServerId', 'reverseOptions', 'repeatOptions', 'splitOptionsAt', 'overload'],
      'datagramBytes',
    ],
  },
} as const;

const dhcp6 = {
  messages: ['solicit', 'request', 'confirm', 'renew', 'rebind', 'release', 'decline', 'information-request'],
  actions: {
    silent: done,
    delayMs,
    /** Refused with this status (RFC 8415 §21.13): what a NAK is in DHCPv4. */
    status: z.enum(['unspecFail', 'noAddrsAvail', 'noBinding', 'notOnLink', 'useMulticast']).optional(),
    /** The identifier of a server that is not there. */
    otherServerId: done,
    leaseSeconds,
    withoutBootFile: done,
    reverseOptions: done,
    /** These are sent twice. */
    repeatOptions: z.array(z.int().min(1).max(65_535)).min(1).optional(),
    /** A second server advertises another address too, without preference and without a boot file, and keeps its offer. */
    secondServer: z.strictObject({ answersFirst: z.literal(true).optional() }).optional(),
    /** Another host answers neighbour solicitations for the addresses that are offered (RFC 4862 §5.4); met when it does. */
    addressInUse: done,
  },
  metBy: {
    secondServer: ['solicit'],
    leaseSeconds: ['solicit', 'request', 'renew', 'rebind'],
    addressInUse: ['solicit', 'request'],
    withoutBootFile: ['solicit', 'request', 'renew', 'rebind', 'information-request'],
  },
  leaves: {
    silent: [],
    status: ['silent', 'delayMs', 'otherServerId', 'reverseOptions', 'repeatOptions', 'secondServer'],
  },
} as const;

/** PXE's (PXE 2.1 §2.2.5). */
const bootServerPort = 4011;

const tftpOptions = ['blksize', 'tsize', 'timeout', 'windowsize'] as const;

const tftp = {
  actions: {
    silent: done,
    /** Nothing is sent for this long. */
    delayMs,
    /** As if they had not been asked for; if all are, there is no OACK. EDK II asks for a windowsize, iPXE does not. */
    ignoreOptions: z.union([z.literal('all'), z.array(z.enum(tftpOptions)).min(1)]).optional(),
    /** ERROR 8 to a request with options (RFC 2347). */
    refuseOptions: done,
    /** Put into the OACK whatever was asked for, and kept to; `tsize` may be `length`, the right one. */
    oack: z
      .strictObject({
        blksize: z.int().min(8).max(1448),
        tsize: z.union([z.int().nonnegative(), z.literal('length')]),
        timeout: z.int().min(1).max(255),
        windowsize: z.int().min(1).max(64),
      })
      .partial()
      .refine((options) => tftpOptions.some((name) => options[name] !== undefined), {
        message: `expected one of ${tftpOptions.join(', ')}`,
      })
      .meta({ minProperties: 1 })
      .optional(),
    /** ERROR 0 in place of this block. */
    errorAtBlock: z.int().positive().optional(),
    /** This number is left out: what follows is numbered one higher. */
    skipBlock: z.int().positive().optional(),
    /** This block comes from another port when it is first sent. */
    otherTidAtBlock: z.int().positive().optional(),
    /** Block 65,535 is followed by block 1, not 0. A file gets there that has more than 524,280 bytes, with `oack` `blksize` 8. */
    rolloverToOne: done,
    /** The acknowledgement of the last block is lost once. */
    loseLastAck: done,
    /** What is sent is this much longer, by zeros, or shorter than the file is, and than `tsize` says. */
    lengthOff: nonzero.optional(),
  },
  leaves: { silent: [] },
} as const;

/** The first block that an action can do something to. */
const firstBlocks: { readonly [A in keyof typeof tftp.actions]?: (value: number) => number } = {
  skipBlock: (block) => block,
  otherTidAtBlock: (block) => block,
  rolloverToOne: () => 65_536,
  loseLastAck: () => 1,
  lengthOff: () => 1,
};

/** Refuses what would be done to blocks that are never sent. */
function isBeforeError(
  fault: Partial<Record<keyof typeof tftp.actions, unknown>>,
  context: Pick<z.RefinementCtx, 'addIssue'>,
): void {
  const { errorAtBlock } = fault;
  if (errorAtBlock === undefined) return;
  for (const [action, firstOf] of Object.entries(firstBlocks)) {
    const input = fault[action as keyof typeof firstBlocks];
    if (input === undefined || firstOf(Number(input)) < Number(errorAtBlock)) continue;
    const message = '"errorAtBlock" ends the transfer before that: use a fault of its own, that other requests meet';
    context.addIssue({ code: 'custom', path: [action], input, message });
  }
}

const http = {
  actions: {
    silent: done,
    delayMs,
    /** In place of the file; a redirect (3xx) leads to the same target again, so that `first` makes a chain of them. */
    status: z.int().min(300).max(599).optional(),
    /** With a `status` that may say so: when to ask again (RFC 9110 §10.2.3). */
    retryAfterSeconds: z.int().nonnegative().max(600).optional(),
    /** Not said, said as chunks, or said wrongly by so many bytes: the connection is closed after the body. */
    contentLength: z.union([z.literal(['none', 'chunked']), z.strictObject({ offBy: nonzero })]).optional(),
    /** The full length is promised, the connection closed after the file's first bytes. */
    truncateToBytes: z.int().nonnegative().optional(),
    /** With `truncateToBytes`, over HTTPS: without close_notify (RFC 8446 §6.1), as an attacker would truncate it. */
    withoutCloseNotify: done,
    /**
     * The whole file, though a part was asked for. iPXE asks for parts of a disk only, UEFI HTTP boot only when it resumes
     * after a timeout: no other boot meets it.
     */
    ignoreRange: done,
    bytesPerSecond: z.int().min(100).optional(),
    /** The connection is closed after the response, although nothing said so. */
    closeAfterwards: done,
  },
  methods: ['GET', 'HEAD'],
  metBy: { truncateToBytes: ['GET'], withoutCloseNotify: ['GET'], bytesPerSecond: ['GET'] },
  leaves: { silent: [], status: ['silent', 'delayMs', 'retryAfterSeconds', 'closeAfterwards'] },
} as const;

/** Fatal alerts (RFC 5246 §7.2.2, RFC 6066 §3). */
export const tlsAlerts = {
  handshakeFailure: 40,
  protocolVersion: 70,
  internalError: 80,
  unrecognizedName: 112,
} as const;
type TlsAlert = keyof typeof tlsAlerts;

/** Of the HTTPS server, connection by connection. */
const tls = {
  actions: {
    /** The answer to the ClientHello, and the end of the connection. */
    alert: z.enum(Object.keys(tlsAlerts) as [TlsAlert, ...TlsAlert[]]).optional(),
    /** In place of the scenario's own. */
    certificate: certificateSchema.optional(),
  },
  leaves: { alert: [] },
} as const;

const fileMatch = {
  /** Name of the served file; `*` for any text. */
  file: z.string().min(1).optional(),
};

const optional = { clientArch: true, vendorClass: true, userClass: true, served: true, notServed: true } as const;

const settings = {
  /** Which of the requests that match; all by default. */
  of: choiceSchema.default(1),
  ...faultSpan,
};

interface Server {
  readonly messages?: readonly string[];
  readonly methods?: readonly string[];
  readonly actions: Record<string, unknown>;
  readonly metBy?: Partial<Record<string, readonly string[]>>;
  readonly leaves: Partial<Record<string, readonly string[]>>;
}

/** Refuses what could never be met. */
const isOfUse =
  ({ messages, methods, actions, metBy = {}, leaves }: Server) =>
  (
    fault: Partial<Record<string, unknown>> & {
      match: { message?: unknown; method?: unknown; port?: unknown; file?: unknown };
      from?: Moment | undefined;
      until?: Moment | undefined;
    },
    context: z.RefinementCtx,
  ): void => {
    const refuse = (message: string, action?: string) => {
      const at = action === undefined ? { input: fault } : { path: [action], input: fault[action] };
      context.addIssue({ code: 'custom', message, ...at });
    };
    if (isNeverInForce(fault)) refuse(neverInForce, 'until');
    const given = Object.keys(actions).filter((action) => fault[action] !== undefined);
    if (given.length === 0) refuse(`a fault does something: one of ${Object.keys(actions).join(', ')}`);
    const { message, method, port } = fault.match;
    const asked = message ?? method;
    /** Which of the requests that match an action does something to. */
    const reaches = (action: string): readonly unknown[] => {
      const reached = metBy[action] ?? messages ?? methods ?? ['any'];
      const matching = asked === undefined ? reached : reached.filter((one) => one === asked);
      return metBy[action] === undefined && port === undefined ? [...matching, bootServerPort] : matching;
    };
    for (const action of given) {
      const met = metBy[action];
      if (met && asked !== undefined && !met.includes(String(asked))) {
        refuse(`does nothing to "${asked}": match ${met.join(' or ')}, or leave that out`, action);
      }
      if (met && port === bootServerPort) {
        refuse(`a boot server (port ${port}) gives no addresses: match port 67, or leave that out`, action);
      }
      const left = leaves[action];
      const isUseless = (other: string): boolean =>
        other !== action && !left?.includes(other) && reaches(other).every((one) => reaches(action).includes(one));
      for (const other of left ? given.filter(isUseless) : []) {
        refuse(`does nothing next to "${action}": use a fault of its own, that other requests meet`, other);
      }
    }
  };

/** The same as far as JSON Schema can say it. */
const said = ({ actions }: Server) => ({ anyOf: Object.keys(actions).map((action) => ({ required: [action] })) });

/** Redirects, 413, 429 (RFC 6585 §4) and 503. */
const saysWhen = (status: number | undefined) =>
  status !== undefined && (status < 400 || [413, 429, 503].includes(status));

/** Something a server of the harness does to requests on purpose. */
export const serverFaultSchema = z.discriminatedUnion('server', [
  z
    .strictObject({
      server: z.literal('dhcp'),
      /** The message type, and the client as boot rules match it. */
      match: bootConditionSchema.extend({ message: z.enum(dhcp.messages).optional() }).default({}),
      ...settings,
      ...dhcp.actions,
    })
    .superRefine(isOfUse(dhcp))
    .meta(said(dhcp)),
  z
    .strictObject({
      server: z.literal('dhcp6'),
      match: bootConditionSchema
        .pick(optional)
        .extend({ message: z.enum(dhcp6.messages).optional() })
        .default({}),
      ...settings,
      ...dhcp6.actions,
    })
    .superRefine(isOfUse(dhcp6))
    .meta(said(dhcp6)),
  z
    .strictObject({
      server: z.literal('tftp'),
      match: z.strictObject(fileMatch).default({}),
      ...settings,
      ...tftp.actions,
    })
    .superRefine(isOfUse(tftp))
    .superRefine(isBeforeError)
    .meta(said(tftp)),
  z
    .strictObject({
      server: z.literal('http'),
      match: z.strictObject({ ...fileMatch, method: z.enum(http.methods).optional() }).default({}),
      ...settings,
      ...http.actions,
    })
    .superRefine(isOfUse(http))
    .refine(({ retryAfterSeconds, status }) => retryAfterSeconds === undefined || saysWhen(status), {
      path: ['retryAfterSeconds'],
      message: 'goes with a "status" that may say so: one of 3xx, 413, 429 or 503',
    })
    .refine(({ withoutCloseNotify, truncateToBytes }) => !withoutCloseNotify || truncateToBytes !== undefined, {
      path: ['withoutCloseNotify'],
      message: 'goes with "truncateToBytes", which says when the connection is closed',
    })
    .meta({
      ...said(http),
      dependentRequired: { retryAfterSeconds: ['status'], withoutCloseNotify: ['truncateToBytes'] },
    }),
  z
    .strictObject({ server: z.literal('tls'), match: z.strictObject({}).default({}), ...settings, ...tls.actions })
    .superRefine(isOfUse(tls))
    .meta(said(tls)),
]);
type ServerFault = z.infer<typeof serverFaultSchema>;

const servers = { dhcp, dhcp6, tftp, http, tls } as const;
export type FaultyServer = keyof typeof servers;
export type FaultOf<S extends FaultyServer> = Extract<ServerFault, { server: S }>;
export type ActionOf<S extends FaultyServer> = keyof (typeof servers)[S]['actions'] & keyof FaultOf<S>;
export type ServerFaultAction = { [S in FaultyServer]: ActionOf<S> }[FaultyServer];
export const serverFaultActions = [
  ...new Set(Object.values(servers).flatMap(({ actions }) => Object.keys(actions) as ServerFaultAction[])),
];

/** Whether an action of a fault does anything to a message of this type, sent to this port. */
export function concerns(
  server: 'dhcp' | 'dhcp6',
  action: string,
  { message, port }: { message: string; port?: number },
): boolean {
  const metBy: Partial<Record<string, readonly string[]>> = servers[server].metBy;
  const met = metBy[action];
  return met === undefined || (port !== bootServerPort && met.includes(message));
}
