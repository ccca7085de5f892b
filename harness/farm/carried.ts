import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { configurationSchema, firmwareInterfaceSchema, loaderSchema, transportSchema } from '../model/axes.ts';
import { knownFactIds } from '../model/known-facts.ts';
import { inputSchema } from '../model/plan.ts';
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

/** A case with its files found, as it is sent: no path of any machine is in it. */
export const carriedSchema = z.strictObject({
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

/** Makes a case ready to be sent, or gives the reason why it cannot be. */
export async function carry(
  found: FoundCase,
  { fingerprints }: { fingerprints: Pick<Fingerprints, 'of'> },
): Promise<CarriedCase | { obstacle: string }> {
  const { scenario, resolved } = found;
  if (typeof scenario.qemu === 'object')
    return { obstacle: `${scenario.qemu.file}: a QEMU by path is more than its program, and is not sent to workers` };
  const named = resolved.provisioner === undefined ? undefined : namedByPath(found);
  if (named !== undefined) return { obstacle: `${named}: a program by path is not sent to workers` };
  const paths = new Set<string>();
  withPaths(found, (path) => {
    paths.add(path);
    return path;
  });
  const folder = await firstFolder(paths);
  if (folder !== undefined) return { obstacle: `${folder}: it is a folder, and only files are sent to workers` };
  const files = await Promise.all(
    [...paths].map(async (path): Promise<SentFile> => ({ path, ...(await fingerprints.of(path)) })),
  );
  const sha256Of = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const sent = withPaths(found, (path) => `${referencePrefix}${sha256Of.get(path)}`);
  const own = resolved.inputs.filter((input) => isOwn(input, resolved));
  const { qemu: _, san, provisioner, inputs, ...rest } = sent.resolved;
  return {
    files,
    own: own.map(({ path, sha256 }) => ({ name: basename(path), sha256 })),
    carried: {
      scenario: sent.scenario,
      prediction: found.prediction,
      resolved: {
        ...rest,
        san: san && { disk: san.disk, nonce: san.nonce },
        provisioner: provisioner?.programs.map((program) => program.files),
        inputs: inputs.map((input, nth) => {
          const isOwnInput = own.includes(resolved.inputs[nth] as (typeof inputs)[number]);
          return isOwnInput ? { ...input, path: ownPath } : input;
        }),
      } as Carried['resolved'],
    },
  };
}

function namedByPath({ scenario: { provisioner } }: FoundCase): string | undefined {
  return [provisioner ?? []]
    .flat()
    .map(({ command }) => command[0] as string)
    .find((name) => name.includes('/'));
}

async function firstFolder(paths: Iterable<string>): Promise<string | undefined> {
  for (const path of paths) if ((await stat(path).catch(() => undefined))?.isDirectory()) return path;
  return undefined;
}
