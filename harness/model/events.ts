import { z } from 'zod';
import { accels } from './axes.ts';
import { dhcpMessageTypeSchema } from './boot-rule.ts';
import { recordBoundNames } from './bounds.ts';
import { imageKinds } from './image-kinds.ts';
import { serverFaultActions } from './server-faults.ts';
import { stageSchema } from './stages.ts';
import { wireFaultActions } from './wire-faults.ts';

/** Every event carries milliseconds since the start of the case, by a monotonic clock. */
const at = { tMs: z.number().nonnegative() };
const event = <S extends string, T extends string, F extends z.ZodRawShape>(source: S, type: T, fields: F) =>
  z.strictObject({ ...at, source: z.literal(source), type: z.literal(type), ...fields });

const peer = z.enum(['guest', 'server']);

/** One DHCPv4 message as seen on the wire (RFC 2131; options by their RFC 2132, 4578 and iPXE names). */
const dhcpFactsSchema = z.strictObject({
  messageType: dhcpMessageTypeSchema,
  /** UDP destination port: 67, 68 or 4011. */
  port: z.int(),
  /** Of the datagram. These and the next two are absent in older records. */
  senderIp: z.string().optional(),
  targetIp: z.string().optional(),
  /** Of the message, options and padding included. */
  bytes: z.int().optional(),
  /** The client cannot receive unicast yet (RFC 2131 §4.1). */
  broadcast: z.literal(true).optional(),
  xid: z.int(),
  mac: z.string(),
  ciaddr: z.string(),
  yiaddr: z.string(),
  siaddr: z.string(),
  giaddr: z.string(),
  sname: z.string(),
  file: z.string(),
  requestedIp: z.string().optional(),
  serverId: z.string().optional(),
  /** Option 60. */
  vendorClass: z.string().optional(),
  /** Option 77. */
  userClass: z.string().optional(),
  /** Option 93, the first one (RFC 4578 §2.1). */
  clientArch: z.int().optional(),
  /** Option 94 as type.major.minor (RFC 4578 §2.2). */
  ndi: z.string().optional(),
  /** Option 97 without its type byte, as hex (RFC 4578 §2.3). */
  machineId: z.string().optional(),
  /** Option 175 is present: iPXE's encapsulated options. */
  ipxe: z.boolean(),
  /** Options 66 and 67. */
  tftpServerName: z.string().optional(),
  bootFile: z.string().optional(),
  /** Codes of all options present, in order. */
  codes: z.array(z.int()),
});
export type DhcpFacts = z.infer<typeof dhcpFactsSchema>;

/** One DHCPv6 message as seen on the wire (RFC 8415, RFC 5970). */
const dhcp6FactsSchema = z.strictObject({
  messageType: z.string(),
  xid: z.int(),
  clientDuid: z.string().optional(),
  address: z.string().optional(),
  /** Option 59. */
  bootFileUrl: z.string().optional(),
  /** Option 61. */
  clientArch: z.int().optional(),
  /** Option 16, enterprise number dropped. */
  vendorClass: z.string().optional(),
  /** Option 15, first item. */
  userClass: z.string().optional(),
  codes: z.array(z.int()),
});
export type Dhcp6Facts = z.infer<typeof dhcp6FactsSchema>;

/** A server's certificate as seen on the wire (RFC 5280): its subject and its issuer. */
const certificateFactsSchema = z.strictObject({ names: z.string(), issuer: z.string() });
export type CertificateFacts = z.infer<typeof certificateFactsSchema>;

/** A request met a fault of the scenario that this server has; `count` is how many have met this fault so far. */
const serverFaultFields = {
  /** Its place in the scenario's list, from 0. */
  fault: z.int(),
  action: z.enum(serverFaultActions),
  what: z.string(),
  count: z.int(),
};

export const eventSchema = z.discriminatedUnion('source', [
  // The harness itself.
  z.discriminatedUnion('type', [
    event('run', 'started', { caseId: z.string(), attempt: z.int(), at: z.string() }),
    event('run', 'deadline', {
      /** The stage that was not reached, or `total`. */
      stage: z.union([stageSchema, z.literal('total')]),
      allowedMs: z.number(),
      /** Time in which the guest could run; and wall-clock time, which may be much longer on a busy host. */
      waitedMs: z.number(),
      wallMs: z.number().optional(),
      /** CPU time the guest used meanwhile, where the kernel accounts for it. */
      workedMs: z.number().optional(),
    }),
    /** The guest has been idle for longer than is allowed while a stage is awaited. */
    event('run', 'silent', { stage: stageSchema, allowedMs: z.number(), restedMs: z.number() }),
    /** For at least so long the harness, or the part of QEMU that serves the NIC, could do nothing: a guest may have given up. */
    event('run', 'late', { who: z.enum(['harness', 'qemu']), lateMs: z.int().positive() }),
    /** A fault was injected on purpose. */
    event('run', 'fault', { text: z.string() }),
    /** A record of the case is full: nothing further is written to it. `ends`: nothing after this can be judged. */
    event('run', 'bounded', { what: z.enum(recordBoundNames), limit: z.int(), ends: z.boolean() }),
    /** The harness cannot say what the guest did; `retryable` where another attempt may succeed. */
    event('run', 'infrastructure', { code: z.string(), message: z.string(), retryable: z.boolean() }),
    /** The machine was switched off and on again: what follows is of this boot, counted from 1. */
    event('run', 'power-cycled', { boot: z.int(), name: z.string() }),
    event('run', 'ended', {
      reason: z.enum(['complete', 'failure', 'deadline', 'silent', 'guest-ended', 'interrupted', 'infrastructure']),
    }),
  ]),
  // The QEMU process.
  z.discriminatedUnion('type', [
    event('vm', 'spawned', { pid: z.int(), accel: z.enum(accels) }),
    event('vm', 'demoted', { from: z.enum(accels), to: z.enum(accels), reason: z.string() }),
    /** The guest was stopped at its first question for this long, and its state kept for others. */
    event('vm', 'template-saved', { template: z.string(), costMs: z.number() }),
    /** Events up to `atMs` were seen when the template was made, at a cost of `guestCpuMs`; the guest goes on from there. */
    event('vm', 'restored', { template: z.string(), atMs: z.number(), guestCpuMs: z.number() }),
    /** No template could be made of this guest, or the guest could not start from one. */
    event('vm', 'template-refused', { reason: z.string() }),
    /** A wait of the firmware through which its QEMU stood still for most of the time. */
    event('vm', 'dozed', { waitMs: z.number() }),
    event('vm', 'stderr', { text: z.string() }),
    event('vm', 'exited', { exitCode: z.int().nullable(), signal: z.string().nullable(), byHarness: z.boolean() }),
    event('vm', 'cpu', { guestCpuMs: z.number() }),
  ]),
  z.discriminatedUnion('type', [
    event('qmp', 'event', { name: z.string(), data: z.record(z.string(), z.unknown()) }),
    event('qmp', 'status', { status: z.string() }),
  ]),
  // One rendered console line, as the cursor leaves it; if more is printed on it, it is logged again in full.
  event('serial', 'line', {
    /** Bytes of serial.raw read when the line looked like this. */
    offset: z.int(),
    text: z.string(),
    /** The guest paused with the cursor after it: more may follow. */
    open: z.literal(true).optional(),
    /** The line above, where that is full to its last column: it may continue here. */
    above: z.string().optional(),
  }),
  // Decoded frames.
  z.discriminatedUnion('type', [
    event('wire', 'dhcp', { from: peer, ...dhcpFactsSchema.shape }),
    event('wire', 'dhcp6', { from: peer, ...dhcp6FactsSchema.shape }),
    event('wire', 'tftp-request', {
      file: z.string(),
      port: z.int(),
      ipVersion: z.literal([4, 6]),
      options: z.record(z.string(), z.string()),
    }),
    event('wire', 'tftp-oack', { file: z.string(), port: z.int(), options: z.record(z.string(), z.string()) }),
    /** The last block of a read was acknowledged by the guest. */
    event('wire', 'tftp-complete', {
      file: z.string(),
      port: z.int(),
      bytes: z.int(),
      blocks: z.int(),
      /** DATA packets with a block that the guest had been sent before. */
      repeats: z.int().optional(),
      /** By its first bytes; absent if these were not all seen. */
      image: z.enum(imageKinds).optional(),
      ms: z.number(),
    }),
    /** The guest keeps acknowledging this block although later ones have been sent. */
    event('wire', 'tftp-stalled', { file: z.string(), port: z.int(), block: z.int() }),
    event('wire', 'tftp-error', { from: peer, file: z.string(), port: z.int(), code: z.int(), message: z.string() }),
    event('wire', 'http-request', { method: z.string(), target: z.string(), host: z.string(), port: z.int() }),
    event('wire', 'http-response', {
      target: z.string(),
      status: z.int(),
      port: z.int(),
      length: z.int().nullable(),
      location: z.string().optional(),
    }),
    /** The server sent the last byte of a response body, whose length its head did not say. */
    event('wire', 'http-sent', { target: z.string(), status: z.int(), port: z.int(), bytes: z.int() }),
    /** The guest acknowledged the last byte of a response body. */
    event('wire', 'http-complete', {
      target: z.string(),
      status: z.int(),
      port: z.int(),
      bytes: z.int(),
      /** The body is the rest of a file, of which the guest was sent all that is before on other connections. */
      resumedAt: z.int().optional(),
      image: z.enum(imageKinds).optional(),
      ms: z.number(),
    }),
    /** The answer to a LOOKUP; status 0 is "here it is" (RFC 1813 §2.6). */
    event('wire', 'nfs-lookup', { file: z.string(), status: z.int(), port: z.int() }),
    /** The guest acknowledged the last byte of a file that it read from the start. */
    event('wire', 'nfs-complete', { file: z.string(), port: z.int(), bytes: z.int(), ms: z.number() }),
    event('wire', 'arp', { from: peer, op: z.enum(['request', 'reply']), senderIp: z.string(), targetIp: z.string() }),
    event('wire', 'icmpv6', { from: peer, kind: z.string(), target: z.string().optional() }),
    event('wire', 'tcp-refused', { address: z.string(), port: z.int() }),
    /** The server closed the connection before it had sent what it promised; `length` is null where it promised no length. */
    event('wire', 'http-cut-short', {
      target: z.string(),
      status: z.int(),
      port: z.int(),
      bytes: z.int(),
      length: z.int().nullable(),
    }),
    /** What TLS shows in the clear. `left`: the guest closed the connection having sent nothing but its ClientHello, and alerts. */
    event('wire', 'tls', {
      port: z.int(),
      from: peer,
      kind: z.string(),
      /** The server's certificate, once the guest has acknowledged all of it. */
      certificate: certificateFactsSchema.optional(),
    }),
    /** A frame met a fault of the scenario; `count` is how many have met this fault so far. */
    event('wire', 'fault', {
      /** Its place in the scenario's list, from 0. */
      fault: z.int(),
      action: z.enum(wireFaultActions),
      direction: z.enum(['from-guest', 'to-guest']),
      what: z.string(),
      bytes: z.int(),
      count: z.int(),
    }),
    event('wire', 'malformed', { from: peer, layer: z.string(), reason: z.string(), count: z.int() }),
  ]),
  // What the built-in servers decided: explanation, never stage evidence.
  z.discriminatedUnion('type', [
    event('dhcp', 'decided', {
      mac: z.string(),
      messageType: z.string(),
      rule: z.string().nullable(),
      reply: z.string().nullable(),
      file: z.string().nullable(),
      note: z.string().optional(),
    }),
    event('dhcp', 'fault', serverFaultFields),
  ]),
  z.discriminatedUnion('type', [
    event('tftp', 'transfer', {
      file: z.string(),
      outcome: z.enum(['complete', 'aborted', 'not-found', 'refused', 'timed-out']),
      bytes: z.int(),
      retransmissions: z.int(),
      ms: z.number(),
      note: z.string().optional(),
    }),
    event('tftp', 'fault', serverFaultFields),
  ]),
  z.discriminatedUnion('type', [
    event('http', 'served', {
      method: z.string(),
      target: z.string(),
      status: z.int(),
      bytes: z.int(),
      ms: z.number(),
      tls: z.boolean(),
      note: z.string().optional(),
    }),
    event('http', 'tls-refused', { reason: z.string() }),
    event('http', 'fault', serverFaultFields),
  ]),
  /** The file's last byte was requested, or `note` says why nothing was sent. */
  event('nfs', 'served', { file: z.string(), bytes: z.int(), ms: z.number(), note: z.string().optional() }),
  event('iscsi', 'session', { target: z.string(), note: z.string() }),
  // A server of the user's: what its programs do and print. Explanation, never stage evidence.
  z.discriminatedUnion('type', [
    /** The guest is put on a server that others of its group share; `folder` is below the run's directory. */
    event('provisioner', 'joined', { folder: z.string(), others: z.int(), runningMs: z.number() }),
    event('provisioner', 'started', { program: z.string(), argv: z.array(z.string()) }),
    event('provisioner', 'ready', { program: z.string(), ms: z.number(), signs: z.array(z.string()) }),
    /** A server that was running already: where it is asked from, or where the guest finds it, and where it is. */
    event('provisioner', 'relaying', { service: z.enum(['dhcp', 'tftp', 'http']), at: z.string(), to: z.string() }),
    event('provisioner', 'line', { program: z.string(), text: z.string() }),
    event('provisioner', 'exited', {
      program: z.string(),
      exitCode: z.int().nullable(),
      signal: z.string().nullable(),
      byHarness: z.boolean(),
    }),
  ]),
]);
export type HarnessEvent = z.infer<typeof eventSchema>;

type WithoutTime<T> = T extends unknown ? Omit<T, 'tMs'> : never;
/** What producers emit; the event log adds the timestamp. */
export type UntimedEvent = WithoutTime<HarnessEvent>;
/** Where producers emit events. */
export type EventSink = (event: UntimedEvent) => void;
