import { createHash } from 'node:crypto';
import { z } from 'zod';
import { accels, archSchema } from '../model/axes.ts';
import { canonicalJson } from '../model/canonical-json.ts';

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
/** Of workers, labels and programs. */
export const nameSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/);

/** One build of QEMU: `nics` is a digest of the network devices that it has. */
const qemuBuildSchema = z.strictObject({
  /** As scenarios name it; `host` for the one in PATH. */
  name: nameSchema,
  arch: archSchema,
  version: z.string().max(100),
  nics: sha256Schema,
});
export type QemuBuild = z.infer<typeof qemuBuildSchema>;

const codeSchema = z.strictObject({ version: z.string().max(100), sha256: sha256Schema });

/** What a cell needs of the machine that runs it; cells with the same needs wait in one queue. */
export const needSchema = z.strictObject({
  /** The harness itself: with other rules a verdict could be another. */
  code: codeSchema,
  qemu: qemuBuildSchema,
  accel: z.enum([...accels, 'auto']),
  memoryMiB: z.int().positive(),
  /** It reaches beyond the guest. */
  trust: z.boolean(),
  /** Files that are never sent, since QEMU finds them itself or they are programs. */
  own: z.array(z.strictObject({ name: z.string().max(255), sha256: sha256Schema })).max(100),
  /** Programs with all their files, unpacked by the set-up. */
  programs: z.array(nameSchema).max(20),
  labels: z.array(nameSchema).max(20),
});
export type Need = z.infer<typeof needSchema>;

/** What a worker offers. */
export const offerSchema = z.strictObject({
  worker: nameSchema,
  code: codeSchema,
  platform: z.string().max(100),
  cores: z.number().positive(),
  memoryMiB: z.int(),
  qemus: z.array(qemuBuildSchema).max(100),
  /** By architecture of the guest; TCG is always there. */
  accels: z.partialRecord(archSchema, z.array(z.enum(accels)).max(10)),
  own: z.array(sha256Schema).max(10_000),
  programs: z.array(nameSchema).max(200),
  sets: z.array(z.string().max(100)).max(1000),
  labels: z.array(nameSchema).max(20),
  trust: z.boolean(),
});
export type Offer = z.infer<typeof offerSchema>;

/** Names the queue of a need. */
export const needKey = (need: Need): string =>
  createHash('sha256').update(canonicalJson(need)).digest('hex').slice(0, 16);

export const nicsDigest = (nics: readonly string[]): string =>
  createHash('sha256')
    .update([...nics].sort().join('\n'))
    .digest('hex');

const codeText = ({ version, sha256 }: Need['code']): string => `${version} (${sha256.slice(0, 12)})`;

function lackOfQemu({ qemu }: Need, { qemus }: Offer): string | undefined {
  const here = qemus.find(({ name, arch }) => name === qemu.name && arch === qemu.arch);
  const what = qemu.name === 'host' ? `QEMU for ${qemu.arch}` : `${qemu.name} for ${qemu.arch}`;
  if (here === undefined) return `it has no ${what}`;
  if (here.version !== qemu.version) return `its ${what} is ${here.version}, and the submitter's ${qemu.version}`;
  return here.nics === qemu.nics ? undefined : `its ${what} has other network devices than the submitter's`;
}

/** Why a worker cannot run cells of this need; undefined if it can. */
export function lackOf(need: Need, offer: Offer): string | undefined {
  const { code, qemu, accel, memoryMiB, trust, own, programs, labels } = need;
  if (code.sha256 !== offer.code.sha256)
    return `it runs netboot-harness ${codeText(offer.code)}, and the submitter ${codeText(code)}`;
  const ofQemu = lackOfQemu(need, offer);
  if (ofQemu !== undefined) return ofQemu;
  if (accel !== 'auto' && accel !== 'tcg' && !offer.accels[qemu.arch]?.includes(accel))
    return `it has no ${accel} for ${qemu.arch}`;
  if (memoryMiB > offer.memoryMiB) return `it has ${offer.memoryMiB} MiB of memory, fewer than ${memoryMiB}`;
  if (trust && !offer.trust) return 'it was started without --trust, and the cell reaches beyond the guest';
  const file = own.find(({ sha256 }) => !offer.own.includes(sha256));
  if (file !== undefined) return `its ${file.name} is not the submitter's`;
  const program = programs.find((name) => !offer.programs.includes(name));
  if (program !== undefined) return `it has no ${program}`;
  const label = labels.find((name) => !offer.labels.includes(name));
  return label === undefined ? undefined : `it has no label ${label}`;
}
