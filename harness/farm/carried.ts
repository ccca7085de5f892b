import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { configurationSchema, firmwareInterfaceSchema, loaderSchema, transportSchema } from '../model/axes.ts';
import { knownFactIds } from '../model/known-facts.ts';
import { inputSchema } from '../model/plan.ts';
import { programsOf, relayOf } from '../model/provisioner.ts';
import { reachOf } from '../model/reach.ts';
import { scenarioSchema } from '../model/scenario.ts';
import { stageSchema } from '../model/stages.ts';
import type { FoundCase } from '../run/found-case.ts';
import { isOwn, withPaths } from './paths.ts';

/** Stands for a file with this content, wherever it is. */
const referencePrefix = 'farm-file:';
const reference = z.string().regex(/^farm-file:[0-9a-f]{64}$/);
/** A file is made under this name on the worker. */
const plainName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
/** Stands for a file that each machine has itself. */
const ownPath = 'farm-own';

const fileSchema = z.strictObject({ path: reference, bytes: z.int().nonnegative() });
const nonceFieldSchema = z.strictObject({
  offsets: z.array(z.int().nonnegative()).max(1000),
  bytes: z.int().positive().max(4096),
});

/** A boot with its files found, as it is sent: no path of any machine is in it. */
const carriedBootSchema = z.strictObject({
  scenario: scenarioSchema,
  resolved: z.strictObject({
    firmware: z.strictObject({
      interface: firmwareInterfaceSchema,
      code: reference.nullable(),
      vars: reference.nullable(),
      format: z.enum(['raw', 'qcow2']),
      smm: z.boolean(),
      flat: z.boolean(),
      wantsRandomSource: z.boolean(),
    }),
    loader: loaderSchema,
    transports: z.strictObject({ nbp: transportSchema, config: transportSchema, payload: transportSchema }),
    oprom: z.union([
      z.strictObject({ kind: z.enum(['none', 'rombar-off', 'bundled', 'unsupported']) }),
      z.strictObject({ kind: z.literal('file'), path: reference }),
    ]),
    nbp: fileSchema.extend({ name: z.string(), nonce: nonceFieldSchema.optional() }).optional(),
    companions: z.record(z.string(), fileSchema),
    served: z.record(z.string(), fileSchema),
    kernel: fileSchema.optional(),
    initrd: fileSchema.optional(),
    overlay: fileSchema.optional(),
    san: z.strictObject({ disk: fileSchema, nonce: nonceFieldSchema }).optional(),
    disk: fileSchema.extend({ nonce: nonceFieldSchema }).optional(),
    /** What the files of each program hold; the programs are each machine's own. */
    provisioner: z
      .array(z.record(plainName, z.union([z.strictObject({ text: z.string() }), z.strictObject({ path: reference })])))
      .optional(),
    inputs: z.array(inputSchema.extend({ path: z.union([reference, z.literal(ownPath)]) })).max(1000),
  }),
  prediction: z.strictObject({
    firmwareDriver: z.string().nullable(),
    romImage: z.int().nullable(),
    configuration: configurationSchema.nullable(),
    stopsAt: stageSchema.nullable(),
    reasons: z.array(z.string()),
    facts: z.array(z.enum(knownFactIds)),
  }),
});
export type CarriedBoot = z.infer<typeof carriedBootSchema>;

/** A case: what is each boot's, if there are several, is the first's, with the inputs of all. */
export const carriedSchema = carriedBootSchema.extend({ boots: z.array(carriedBootSchema).min(2).max(8).optional() });
export type Carried = z.infer<typeof carriedSchema>;

/** The SHA-256 that a reference names; undefined for any other text. */
export const sha256In = (text: string): string | undefined =>
  reference.safeParse(text).success ? text.slice(referencePrefix.length) : undefined;

/** A file that a case needs, where it is on the submitter's machine. */
export interface SentFile {
  path: string;
  sha256: string;
  bytes: number;
}

export interface CarriedCase {
  carried: Carried;
  files: SentFile[];
  /** Files that a worker must have itself. */
  own: { name: string; sha256: string }[];
}

/** One boot of a case whose files have become references. */
function carriedBoot({ scenario, resolved, prediction }: FoundCase, before: FoundCase): CarriedBoot {
  const { qemu: _, san, provisioner, inputs, ...rest } = resolved;
  return {
    scenario,
    prediction,
    resolved: {
      ...rest,
      san: san && { disk: san.disk, nonce: san.nonce },
      provisioner: provisioner?.programs.map((program) => program.files),
      inputs: inputs.map((input, nth) => {
        const isOwnInput = isOwn(before.resolved.inputs[nth] as (typeof inputs)[number], before.resolved);
        return isOwnInput ? { ...input, path: ownPath } : input;
      }),
    } as CarriedBoot['resolved'],
  };
}

/** What keeps a case from being sent; undefined if nothing does. */
async function obstacleOf(found: FoundCase, paths: Iterable<string>): Promise<string | undefined> {
  const { qemu, provisioner } = found.scenario;
  if (typeof qemu === 'object')
    return `${qemu.file}: a QEMU by path is more than its program, and is not sent to workers`;
  const relay = relayOf(provisioner);
  if (relay !== undefined)
    return `${[relay.relay].flat()[0]}: it runs on this machine, and workers have other servers there`;
  const programs = provisioner === undefined ? [] : programsOf(provisioner);
  const named = programs.map(({ command }) => command[0] as string).find((name) => name.includes('/'));
  if (named !== undefined) return `${named}: a program by path is not sent to workers`;
  for (const path of paths)
    if ((await stat(path).catch(() => undefined))?.isDirectory())
      return `${path}: it is a folder, and only files are sent to workers`;
  const left = reachOf(withPaths(found, () => `${referencePrefix}${'0'.repeat(64)}`).scenario).find(
    ({ isPath, value }) => isPath && sha256In(value) === undefined,
  );
  return left && `${left.key}: ${left.value}: it is not sent to workers`;
}

/** Makes a case ready to be sent, or gives the reason why it cannot be. */
export async function carry(
  found: FoundCase,
  { fingerprints }: { fingerprints: Pick<Fingerprints, 'of'> },
): Promise<CarriedCase | { obstacle: string }> {
  const { resolved, boots } = found;
  const paths = new Set<string>();
  withPaths(found, (path) => {
    paths.add(path);
    return path;
  });
  const obstacle = await obstacleOf(found, paths);
  if (obstacle !== undefined) return { obstacle };
  const files = await Promise.all(
    [...paths].map(async (path): Promise<SentFile> => ({ path, ...(await fingerprints.of(path)) })),
  );
  const sha256Of = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const sent = withPaths(found, (path) => `${referencePrefix}${sha256Of.get(path)}`);
  const own = resolved.inputs.filter((input) => isOwn(input, resolved));
  return {
    files,
    own: own.map(({ path, sha256 }) => ({ name: basename(path), sha256 })),
    carried: {
      ...carriedBoot(sent, found),
      ...(boots && { boots: sent.boots?.map((boot, nth) => carriedBoot(boot, boots[nth] as FoundCase)) }),
    },
  };
}
