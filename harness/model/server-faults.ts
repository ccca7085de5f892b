import { z } from 'zod';
import { bootConditionSchema } from './boot-rule.ts';
import { certificateSchema } from './certificate.ts';
import { choiceSchema, faultSpan } from './fault-choice.ts';

const done = z.literal(true).optional();
const delayMs = z.int().positive().max(600_000).optional();

/** What a DHCPv4 server does to a client, and what of a client's it does it to. */
const dhcp = {
  messages: ['discover', 'request', 'inform', 'decline', 'release'],
  actions: {
    /** No answer at all. */
    silent: done,
    delayMs,
    /** DHCPNAK in place of the answer. */
    nak: done,
    /** A second server offers another address too, before the first one or after it, and keeps its offer. */
    secondServer: z
      .strictObject({ file: z.string().min(1).optional(), answersFirst: z.literal(true).optional() })
      .optional(),
    /** Server identifier (54) of a server that is not there. */
    otherServerId: done,
    leaseSeconds: z.int().positive().optional(),
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
    /** Another host answers ARP for the address that is offered. */
    addressInUse: done,
  },
  metBy: { nak: ['request'], secondServer: ['discover'] },
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
    leaseSeconds: z.int().positive().optional(),
    withoutBootFile: done,
    reverseOptions: done,
    /** These are sent twice. */
    repeatOptions: z.array(z.int().min(1).max(65_535)).min(1).optional(),
    /** A second server advertises another address too, without preference and without a boot file, and keeps its offer. */
    secondServer: z.strictObject({ answersFirst: z.literal(true).optional() }).optional(),
    /** Another host answers neighbour solicitations for the addresses that are offered (RFC 4862 §5.4). */
    addressInUse: done,
  },
  metBy: { secondServer: ['solicit'] },
} as const;

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
    lengthOff: z.int().optional(),
  },
} as const;

const http = {
  actions: {
    silent: done,
    delayMs,
    /** In place of the file; a redirect (3xx) leads to the same target again, so that `first` makes a chain of them. */
    status: z.int().min(300).max(599).optional(),
    /** With `status`: when to ask again (RFC 9110 §10.2.3). */
    retryAfterSeconds: z.int().nonnegative().max(600).optional(),
    /** Not said, said as chunks, or said wrongly by so many bytes: the connection is closed after the body. */
    contentLength: z.union([z.literal(['none', 'chunked']), z.strictObject({ offBy: z.int() })]).optional(),
    /** The full length is promised, the connection closed after the file's first bytes. */
    truncateToBytes: z.int().nonnegative().optional(),
    /**
     * The whole file, though a part was asked for. iPXE asks for parts of a disk only, UEFI HTTP boot only when it resumes
     * after a timeout: no other boot meets it.
     */
    ignoreRange: done,
    bytesPerSecond: z.int().min(100).optional(),
    /** The connection is closed after the response, although nothing said so. */
    closeAfterwards: done,
  },
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

function doesSomething(actions: Record<string, unknown>) {
  const names = Object.keys(actions);
  return [
    (fault: object) => names.some((name) => name in fault),
    { message: `a fault does something: one of ${names.join(', ')}` },
  ] as const;
}

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
    .refine(...doesSomething(dhcp.actions)),
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
    .refine(...doesSomething(dhcp6.actions)),
  z
    .strictObject({
      server: z.literal('tftp'),
      match: z.strictObject(fileMatch).default({}),
      ...settings,
      ...tftp.actions,
    })
    .refine(...doesSomething(tftp.actions)),
  z
    .strictObject({
      server: z.literal('http'),
      match: z.strictObject({ ...fileMatch, method: z.enum(['GET', 'HEAD']).optional() }).default({}),
      ...settings,
      ...http.actions,
    })
    .refine(...doesSomething(http.actions)),
  z
    .strictObject({ server: z.literal('tls'), match: z.strictObject({}).default({}), ...settings, ...tls.actions })
    .refine(...doesSomething(tls.actions)),
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

/** Whether an action of a fault does anything to a message of this type. */
export function concerns(server: 'dhcp' | 'dhcp6', action: string, message: string): boolean {
  const metBy: Partial<Record<string, readonly string[]>> = servers[server].metBy;
  return metBy[action]?.includes(message) ?? true;
}
