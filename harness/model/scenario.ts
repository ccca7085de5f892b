import { z } from 'zod';
import {
  archSchema,
  configurationSchema,
  firmwareInterfaceSchema,
  firmwareSchema,
  ipVersionSchema,
  payloadSchema,
  romKindSchema,
  secondStageSchema,
  secureBootSchema,
  transportSchema,
} from './axes.ts';
import { bootRuleSchema } from './boot-rule.ts';
import { cellIdSchema } from './case-id.ts';
import { certificateSchema } from './certificate.ts';
import { expectationSchema } from './expectation.ts';
import { faultSchema } from './faults.ts';
import { provisionerSchema } from './provisioner.ts';
import { nameOf, parseName } from './served-name.ts';
import { stageSchema } from './stages.ts';

const setName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a set name is letters, digits, ".", "_" or "-"');
/** QEMU device name of a NIC, such as `e1000` or `virtio-net-pci`. */
const deviceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'a NIC is a QEMU device name, such as e1000');

/** Firmware by path: flash with its variable store, or everything in one image. */
const firmwareFilesSchema = z.strictObject({
  code: z.string().min(1),
  vars: z.string().min(1).optional(),
  /** Where inspection cannot decide it. */
  interface: firmwareInterfaceSchema.optional(),
});
export type FirmwareFiles = z.infer<typeof firmwareFilesSchema>;

/** A ROM kind, one from another set than the firmware's, or a file by path. */
const romSchema = z.union([
  romKindSchema,
  z.strictObject({ kind: romKindSchema.exclude(['none', 'rombar-off']), set: setName }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type Rom = z.infer<typeof romSchema>;

/** Something is in the NIC's ROM BAR; the evidence shows whether the firmware runs it. */
export const hasRom = (rom: Rom): boolean => rom !== 'none' && rom !== 'rombar-off';

/** HTTP only: the full length is promised, this much is sent, and the connection is closed. */
const truncateToBytes = z.int().nonnegative().optional();

/** Bytes overwritten verbatim; the length stays. */
const patch = z.array(z.strictObject({ offset: z.int().nonnegative(), ascii: z.string().min(1) })).min(1);
export type Patch = z.infer<typeof patch>;

/** Normalised, so that `/grub/grub.cfg` replaces `grub/grub.cfg`; `/` is the whole tree. */
const servedName = z
  .string()
  .min(1)
  .refine((name) => typeof parseName(name) === 'string', 'a served name is a relative path such as grub/grub.cfg')
  .overwrite(nameOf);

/** A file of the served tree: a host file or folder, inline text, or an HTTP redirect. */
export const servedFileSchema = z.union([
  z.strictObject({ path: z.string().min(1), patch: patch.optional(), truncateToBytes }),
  /** What would be served under this name anyway, with bytes replaced. */
  z.strictObject({ patch }),
  /** `{{server}}`, `{{nonce}}` and `{{mac}}` are filled in. */
  z.strictObject({ text: z.string(), truncateToBytes }),
  /** Another served name or a full URL, filled in like text; over TFTP there is no such file. */
  z.strictObject({ redirect: z.string().min(1), status: z.literal([301, 302, 303, 307, 308]).optional() }),
]);
export type ServedFile = z.infer<typeof servedFileSchema>;

/** An artefact by its role, looked up like a second stage: in `set`, or where the case's own second stage comes from; for the case's machine, or `arch`. */
const servedArtefactSchema = z.strictObject({
  secondStage: secondStageSchema.exclude(['none']),
  set: setName.optional(),
  arch: archSchema.optional(),
  patch: patch.optional(),
});

/** Per-stage deadlines and one for the whole case, in ms of time in which the guest could run, without acceleration. */
const deadlinesSchema = z.strictObject({
  totalMs: z.int().positive().optional(),
  stageMs: z.partialRecord(stageSchema, z.int().positive()).optional(),
});

const transportPlanSchema = z.union([
  transportSchema,
  z.strictObject({
    nbp: transportSchema.optional(),
    config: transportSchema.optional(),
    payload: transportSchema.optional(),
  }),
]);
export type TransportPlan = z.infer<typeof transportPlanSchema>;

const fileOr = <T extends z.ZodType>(schema: T) => z.union([schema, z.strictObject({ file: z.string().min(1) })]);

/** The QEMU in PATH. */
export const hostQemu = 'host';

const serveSchema = z.record(servedName, z.union([servedFileSchema, servedArtefactSchema]));

/**
 * The guest's clock counts its instructions, 2^N ns each (QEMU's `-icount shift=N,sleep=off`), under TCG only: minutes for
 * which firmware waits pass in seconds, however busy the host is. Replies then take longer by the guest's clock than by ours:
 * this is for boots, or the one of several, in which nothing answers.
 */
const icountSchema = z.int().min(0).max(10);

/** One of several boots of the same machine: what it has of its own, in place of the case's. */
const bootSchema = z.strictObject({
  /** Names it in reports, such as `install`. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/, 'a boot has a name of up to 40 letters and digits'),
  secondStage: fileOr(secondStageSchema).optional(),
  payload: payloadSchema.optional(),
  boot: z.array(bootRuleSchema).optional(),
  serve: serveSchema.optional(),
  kernelArgs: z.string().optional(),
  icount: icountSchema.optional(),
  deadlines: deadlinesSchema.optional(),
  stagePath: z.array(stageSchema).min(1).optional(),
  expect: expectationSchema.optional(),
});

const virtioInterfaces = ['legacy', 'transitional', 'modern'] as const;
const bootNics = ['first-of-two', 'second-of-two'] as const;

/** The axes a matrix may expand over: each is one value in a scenario, one or a list in a group. */
export const axisShape = {
  arch: archSchema,
  machine: z.string().min(1),
  firmware: z.union([firmwareSchema, firmwareFilesSchema]),
  set: setName,
  nic: deviceName,
  rom: romSchema,
  secondStage: fileOr(secondStageSchema),
  transport: transportPlanSchema,
  payload: payloadSchema,
  secureBoot: secureBootSchema,
  ipVersion: ipVersionSchema,
  /** The host's QEMU, one from the cache by name (`qemu-10`), or a program by path. */
  qemu: z.union([setName, z.strictObject({ file: z.string().min(1) })]),
  // Overrides of the harness's choices for the machine.
  memoryMiB: z.int().min(64).max(65536).optional(),
  cpu: z.string().min(1).optional(),
  serialPorts: z.int().min(1).max(4).optional(),
  /** Which interfaces a virtio NIC offers (virtio 1.0 §2). */
  virtio: z.enum(virtioInterfaces).optional(),
  /** Of two NICs of the model, the one that has the network and comes first in the boot order. */
  bootNic: z.enum(bootNics).optional(),
};
export type Axis = keyof typeof axisShape;

/** What a scenario may set apart from its axes; the same for every cell of a group. */
export const settingsShape = {
  title: z.string().optional(),
  /** What only a user's own set has, such as "an iPXE ROM for tulip": without it the cells wait and do not fail the run. */
  waitsFor: z.string().min(1).optional(),
  /** Set that second stage and kernel come from, where it is not the firmware's. */
  nbpSet: setName.optional(),
  configuration: configurationSchema.optional(),
  /** Configuration 1 only: iPXE's BIOS ROM stands in for a vendor's, and is served like the plain PXE client that one is. */
  standIn: z.literal(true).optional(),
  /** Replaces the boot policy derived from second stage, transport and payload. */
  boot: z.array(bootRuleSchema).optional(),
  /** Added to (or replacing parts of) the served tree; names are slash-separated and relative. */
  serve: serveSchema.optional(),
  kernel: z.strictObject({ file: z.string().min(1) }).optional(),
  initrd: z.strictObject({ file: z.string().min(1) }).optional(),
  kernelArgs: z.string().optional(),
  /** NBP, what else it loads, and kernel are signed with the key enrolled in the snakeoil variables. */
  signWith: z.literal('snakeoil').optional(),
  nicOptions: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  /** iPXE's script goes on in this VLAN (IEEE 802.1Q): it makes a device there (`vcreate`), and everything after comes over it. */
  vlan: z.int().min(1).max(4094).optional(),
  /** A DHCP server without boot information and a separate proxyDHCP server (PXE 2.1 §2.2.3). */
  proxyDhcp: z.boolean().optional(),
  /** A server of the user's in place of the harness's own, for what it serves. */
  provisioner: provisionerSchema.optional(),
  /** What the user's server does wrong fails the case, unless it is expected; not beside faults of the network, which may be why. */
  strictServer: z.literal(true).optional(),
  certificate: certificateSchema.optional(),
  /** IPv6 only. `false`: addresses come from router advertisements, and DHCPv6 only says what to boot. */
  managedIpv6: z.boolean().optional(),
  /** iPXE attaches the iSCSI disk before it boots the kernel. */
  sanHook: z.boolean().optional(),
  /** `false` leaves out virtio-rng: for firmware that needs a random source. */
  randomSource: z.boolean().optional(),
  icount: icountSchema.optional(),
  /** What the network does to frames on purpose, one after another. */
  faults: z.array(faultSchema).min(1).max(32).optional(),
  /** The machine is switched off and on again between these; its disk and its firmware's variables are kept. */
  boots: z.array(bootSchema).min(2).max(8).optional(),
  /** The early boot is what the case is about: always from power-on. */
  cold: z.literal(true).optional(),
  qemuArgs: z.array(z.string()).optional(),
  deadlines: deadlinesSchema.optional(),
  stagePath: z.array(stageSchema).min(1).optional(),
  expect: expectationSchema.optional(),
};

export const scenarioSchema = z.strictObject({
  /** Unique in its matrix; derived from group name and axes by default. */
  id: cellIdSchema,
  group: z.string().min(1),
  ...axisShape,
  /** Absent in records older than this choice. */
  qemu: axisShape.qemu.default(hostQemu),
  ...settingsShape,
  expect: expectationSchema,
});
/** One cell of a matrix, every axis decided. */
export type Scenario = z.infer<typeof scenarioSchema>;
