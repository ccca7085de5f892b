import { RE2JS } from 're2js';
import { z } from 'zod';
import { type Relay, relaySchema } from './relay.ts';

/** What a provisioner can take over from the harness. */
export const provisionerServices = ['dhcp', 'proxydhcp', 'dhcpv6', 'router-advertisements', 'tftp', 'http'] as const;
export type ProvisionerService = (typeof provisionerServices)[number];

const port = z.int().min(1).max(65_535);
const maxPatternLength = 200;

const isPattern = (pattern: string): boolean => {
  try {
    RE2JS.compile(pattern);
    return true;
  } catch {
    return false;
  }
};

/** A sign that a program is ready: a port it has bound, a file it has made, or what it prints. */
const readySchema = z.union([
  z.strictObject({ udp: port }),
  z.strictObject({ tcp: port }),
  /** Relative to `{{dir}}`. */
  z.strictObject({ file: z.string().min(1) }),
  /** A regular expression in RE2's syntax, found anywhere in a line. */
  z.strictObject({
    log: z.string().min(1).max(maxPatternLength).refine(isPattern, "expected a regular expression in RE2's syntax"),
  }),
]);
export type Ready = z.infer<typeof readySchema>;

/** Names inside the provisioner's folder: no path can lead out of it. */
const fileName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a file of a provisioner has a plain name, such as dnsmasq.conf');

const stopSignals = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGKILL'] as const;

/** A server of the user's. In all texts `{{…}}` is filled in: see harness/services/provisioner/README.md. */
const provisionerProgramSchema = z.strictObject({
  /** The program, by name (in PATH, or unpacked in the cache) or by path, and its arguments. It stays in the foreground. */
  command: z.array(z.string().min(1)).min(1),
  /** Names its log; the program's name by default. */
  name: fileName.optional(),
  env: z.record(z.string(), z.string()).optional(),
  /** The folder it starts in, relative to the matrix file, or below a placeholder; by default `{{dir}}`. */
  cwd: z.string().min(1).optional(),
  /** Files in `{{dir}}`. */
  files: z
    .record(fileName, z.union([z.strictObject({ path: z.string().min(1) }), z.strictObject({ text: z.string() })]))
    .optional(),
  /** What it serves in place of the harness. */
  serves: z.array(z.enum(provisionerServices)).min(1).optional(),
  /** All of these must hold before the guest starts; by default the ports of what it serves are bound. */
  ready: z.union([readySchema, z.array(readySchema).min(1)]).optional(),
  readyWithinMs: z.int().positive().max(600_000).optional(),
  /** Addresses of the server, the same for all its programs. */
  address: z
    .array(z.union([z.ipv4(), z.ipv6()]))
    .min(1)
    .optional(),
  /** How it is asked to end. */
  stop: z.enum(stopSignals).optional(),
  /** One server for all guests of the group that have it, with what it stores; said by any of its programs. */
  scope: z.literal('group').optional(),
});
export type ProvisionerProgram = z.infer<typeof provisionerProgramSchema>;

/** One program, several on the same server, or a server that is running already. */
export const provisionerSchema = z.union([
  provisionerProgramSchema,
  z.array(provisionerProgramSchema).min(1),
  relaySchema,
]);
export type Provisioner = z.infer<typeof provisionerSchema>;

export const relayOf = (provisioner: Provisioner | undefined): Relay | undefined =>
  provisioner !== undefined && 'relay' in provisioner ? provisioner : undefined;

/** None for a server that is running already. */
export const programsOf = (provisioner: Provisioner): ProvisionerProgram[] =>
  'relay' in provisioner ? [] : [provisioner].flat();

/** Whether guests of the same group share the server. */
export const isShared = (provisioner: Provisioner | undefined): boolean =>
  provisioner !== undefined && programsOf(provisioner).some(({ scope }) => scope === 'group');

/** Placeholders that are of one guest alone: a server that guests share starts before they are known. */
export const ofOneGuest: readonly string[] = ['{{mac}}', '{{guest}}', '{{nonce}}'];

/** Where files for one guest are in the `{{tree}}` of a server that guests share: as dnsmasq's tftp-unique-root=mac has it. */
export const guestFolderOf = (mac: string): string => mac.replaceAll(':', '-');

/** What a program is called in messages and by its log. */
export const nameOfProgram = ({ name, command }: ProvisionerProgram): string =>
  name ?? (command[0] as string).split('/').at(-1) ?? 'server';

/** A program with its first arguments; `env` is added to the environment. */
const startedSchema = z.strictObject({
  program: z.string(),
  argv: z.array(z.string()),
  env: z.record(z.string(), z.string()),
});

export const defaultCwd = '{{dir}}';

/** A provisioner as a plan has it: decided but for `{{dir}}` and `{{tree}}`, which are known once it starts. */
export const plannedProvisionerSchema = z.strictObject({
  scope: z.literal('group').optional(),
  /** Of the server's only interface, which is called `interfaceName`. */
  mac: z.string(),
  addresses: z.array(z.string()),
  programs: z.array(
    z.strictObject({
      name: fileName,
      argv: z.array(z.string()),
      env: z.record(z.string(), z.string()),
      cwd: z.string().default(defaultCwd),
      ready: z.array(readySchema),
      readyWithinMs: z.int(),
      stop: z.enum(stopSignals),
    }),
  ),
  files: z.record(fileName, z.union([z.strictObject({ path: z.string() }), z.strictObject({ text: z.string() })])),
  /** The QEMU that joins the server's interface to the wire, without the netdev of that interface, which depends on the host. */
  adapter: startedSchema,
  /** What joins them where no TAP can be opened, if this host has it. */
  packetPrograms: z.strictObject({ socat: startedSchema, ethtool: startedSchema }).optional(),
});
export type PlannedProvisioner = z.infer<typeof plannedProvisionerSchema>;

/** The server's interface, inside its network namespace. */
export const interfaceName = 'eth0';
