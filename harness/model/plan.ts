import { z } from 'zod';
import { accels, configurationSchema, firmwareInterfaceSchema, loaderSchema, transportSchema } from './axes.ts';
import { bootRuleSchema } from './boot-rule.ts';
import { certificateSchema } from './certificate.ts';
import { knownFactIds } from './known-facts.ts';
import { plannedProvisionerSchema, provisionerServices } from './provisioner.ts';
import { plannedRelaySchema } from './relay.ts';
import { scenarioSchema, servedFileSchema } from './scenario.ts';
import { stageSchema } from './stages.ts';

const inputRoles = [
  'qemu',
  'firmware-code',
  'firmware-vars',
  'oprom',
  'nbp',
  'second-stage',
  'config',
  'kernel',
  'initrd',
  'served',
  'disk',
  'provisioner',
] as const;
export type InputRole = (typeof inputRoles)[number];

/** A file the case depends on, identified by content so that a reproduction can check that it has the same one. */
export const inputSchema = z.strictObject({
  role: z.enum(inputRoles),
  path: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  /** The package it came from. */
  package: z.strictObject({ name: z.string(), version: z.string() }).optional(),
  /** What inspection found, in words: PCIR images, PE machine, version. */
  identity: z.string().optional(),
  /** iPXE images in it, by the firmware interface that runs them: full iPXE, or only its SNP driver. */
  ipxe: z.partialRecord(firmwareInterfaceSchema, z.enum(['full', 'driver'])).optional(),
});
export type Input = z.infer<typeof inputSchema>;

/** A transfer whose completion proves a stage: the name requested (no leading slash) and the length. */
const expectedFileSchema = z.strictObject({ name: z.string(), bytes: z.int().optional() });
export type ExpectedFile = z.infer<typeof expectedFileSchema>;

const networkSchema = z.strictObject({
  serverMac: z.string(),
  serverIp: z.string(),
  guestMac: z.string(),
  guestIp: z.string(),
  netmask: z.string(),
  /** Present where the case boots over IPv6. */
  ipv6: z.strictObject({ serverIp: z.string(), guestIp: z.string(), managed: z.boolean() }).optional(),
  /** The VLAN that is there in addition to the untagged network (IEEE 802.1Q). */
  vlan: z.int().optional(),
  /** A DHCP server without boot information, and a separate proxyDHCP server. */
  proxyDhcp: z.boolean(),
  /** A server of the user's on the same network, and what it serves in place of the harness. */
  provisioner: z
    .strictObject({
      ip: z.string().optional(),
      ip6: z.string().optional(),
      serves: z.array(z.enum(provisionerServices)),
      /** It is running already, and asked through the harness. */
      relay: plannedRelaySchema.optional(),
    })
    .optional(),
  /** Guest-facing TCP ports and the service behind each; any other port answers with RST. */
  tcp: z.array(z.strictObject({ port: z.int(), service: z.enum(['http', 'https', 'iscsi', 'portmap', 'nfs']) })),
});
export type Network = z.infer<typeof networkSchema>;

/** Bytes replaced in a copy of a file. */
const patchSchema = z.array(z.strictObject({ offset: z.int(), ascii: z.string() }));

const bootShape = {
  scenario: scenarioSchema,
  interface: firmwareInterfaceSchema,
  nonce: z.string(),
  qemu: z.strictObject({
    program: z.string(),
    /** Added to the harness's own environment. */
    env: z.record(z.string(), z.string()).default({}),
    /** Without `-accel` and, where the plan leaves it open, `-cpu`: `vm/` prepends those. */
    argv: z.array(z.string()),
    cpu: z.partialRecord(z.enum(accels), z.string()),
    /** Inherited descriptor numbers. */
    fds: z.strictObject({ nic: z.int(), qmp: z.int(), serial: z.int(), uplink: z.int().optional() }),
    memoryMiB: z.int(),
  }),
  inputs: z.array(inputSchema),
  network: networkSchema,
  /** An iSCSI target with one disk, patched in a copy. */
  san: z
    .strictObject({
      iqn: z.string(),
      disk: z.string(),
      patch: patchSchema,
      /** Root directory of the target's programs and libraries. */
      programRoot: z.string(),
    })
    .optional(),
  /** Files that the machine may write to, by their names in the case's directory: copies, patched before it first starts. */
  machineFiles: z.record(z.string(), z.strictObject({ path: z.string(), patch: patchSchema })).optional(),
  provisioner: plannedProvisionerSchema.optional(),
  /** Certificate of the HTTPS server; `authorityFile` is made in the case's directory for firmware to read. */
  tls: z.strictObject({ certificate: certificateSchema, authorityFile: z.string().optional() }).optional(),
  boot: z.array(bootRuleSchema),
  serve: z.record(z.string(), servedFileSchema),
  loader: loaderSchema,
  transports: z.strictObject({ nbp: transportSchema, config: transportSchema, payload: transportSchema }),
  /** What should happen, from inspecting the files and from known facts: configuration, first stage that should not be reached, and why. */
  prediction: z.strictObject({
    configuration: configurationSchema.nullable(),
    stopsAt: stageSchema.nullable(),
    reasons: z.array(z.string()),
    /** Those of the reasons that no file shows. */
    facts: z.array(z.enum(knownFactIds)).default([]),
  }),
  stagePath: z.array(stageSchema),
  /** Files whose complete delivery proves `nbp-fetch`, `config` and `payload-fetch`. */
  deliveries: z.strictObject({
    nbp: z.array(expectedFileSchema),
    config: z.array(expectedFileSchema),
    payload: z.array(expectedFileSchema),
  }),
  deadlines: z.strictObject({
    totalMs: z.int(),
    /** Of every stage that there was when the plan was made. */
    stageMs: z.partialRecord(stageSchema, z.int()),
    /** How long a guest may be idle while a stage is awaited; absent: no limit. */
    restMs: z.partialRecord(stageSchema, z.int()).default({}),
  }),
};

/** Everything decided before QEMU starts; computed by a pure function, saved as plan.json. */
export const planSchema = z.strictObject({
  version: z.literal(1),
  ...bootShape,
  /** The plan of each boot, if there are several; what is above is the first's, with the inputs of all. */
  boots: z
    .array(z.strictObject({ version: z.literal(1), name: z.string(), ...bootShape }))
    .min(1)
    .optional(),
});
export type Plan = z.infer<typeof planSchema>;
