import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { archSchema, firmwareSchema, romKindSchema, secondStageSchema, secureBootSchema } from '../../model/axes.ts';
import { checkShape, problemLines } from '../../model/check-shape.ts';
import { HarnessError } from '../../model/errors.ts';

const path = z.string().min(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hex digits');
/** Name of an entry of `packages`, whose version identifies the file in reports. */
const packageName = z.string().min(1);

const firmwareEntry = z.strictObject({
  firmware: firmwareSchema,
  arch: archSchema,
  /** UEFI: the code flash. SeaBIOS: the file for `-bios`. */
  code: path,
  vars: path.optional(),
  format: z.enum(['raw', 'qcow2']).default('raw'),
  secureBoot: secureBootSchema.default('off'),
  /** The code needs system management mode (`-machine q35,smm=on`). */
  smm: z.boolean().default(false),
  /** Machine types it is made for, as `*` patterns; absent: any. */
  machines: z.array(z.string()).optional(),
  package: packageName.optional(),
});

const romEntry = z.strictObject({
  /** QEMU device name. */
  nic: z.string().min(1),
  kind: romKindSchema.exclude(['none', 'rombar-off']),
  arch: archSchema.default('x86_64'),
  path,
  package: packageName.optional(),
});

const nbpEntry = z.strictObject({
  secondStage: secondStageSchema.exclude(['none', 'linux']),
  arch: archSchema,
  /** For legacy BIOS rather than UEFI. */
  bios: z.boolean().default(false),
  path,
  /** Further files that the NBP fetches: served name → file. */
  companions: z.record(z.string().min(1), path).default({}),
  package: packageName.optional(),
});

const kernelEntry = z.strictObject({
  arch: archSchema,
  kernel: path,
  /** The installer's own, large initrd. */
  initrd: path.optional(),
  package: packageName.optional(),
});

const setName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, ".", "_" or "-"');

export const manifestSchema = z.strictObject({
  /** For editors: the JSON Schema of this file. */
  $schema: z.string().optional(),
  name: setName,
  description: z.string().optional(),
  /** A set whose entries come after the manifest's own; its own name means the set that it hides. */
  extends: setName.optional(),
  packages: z
    .array(z.strictObject({ name: z.string().min(1), version: z.string().min(1), sha256: sha256.optional() }))
    .default([]),
  firmware: z.array(firmwareEntry).default([]),
  roms: z.array(romEntry).default([]),
  nbps: z.array(nbpEntry).default([]),
  kernels: z.array(kernelEntry).default([]),
  /** Folder with ROM files under QEMU's own names (efi-e1000.rom, pxe-e1000.rom, …); their kinds are found by inspection. */
  bundledRoms: path.optional(),
  /** Package of the files in `bundledRoms`. */
  bundledRomsPackage: packageName.optional(),
});
export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestInput = z.input<typeof manifestSchema>;

export const manifestFile = 'set.json';

function bad(file: string, problems: readonly string[], cause?: unknown): HarnessError {
  return new HarnessError('bad-set', problemLines(`artefact set ${file}`, problems), {
    hint: 'Correct the manifest: `netboot schema set` prints its fields, and `netboot install --refresh` makes sets of the cache again.',
    details: { path: file },
    cause,
  });
}

/** Every path in a manifest with the field that names it. */
function* pathsOf(manifest: Manifest): Generator<{ field: string; path: string; directory: boolean }> {
  const file = (field: string, path: string | undefined) =>
    path === undefined ? [] : [{ field, path, directory: false }];
  for (const [i, entry] of manifest.firmware.entries()) {
    yield* file(`firmware[${i}].code`, entry.code);
    yield* file(`firmware[${i}].vars`, entry.vars);
  }
  for (const [i, entry] of manifest.roms.entries()) yield* file(`roms[${i}].path`, entry.path);
  for (const [i, entry] of manifest.nbps.entries()) {
    yield* file(`nbps[${i}].path`, entry.path);
    for (const [name, companion] of Object.entries(entry.companions)) {
      yield* file(`nbps[${i}].companions["${name}"]`, companion);
    }
  }
  for (const [i, entry] of manifest.kernels.entries()) {
    yield* file(`kernels[${i}].kernel`, entry.kernel);
    yield* file(`kernels[${i}].initrd`, entry.initrd);
  }
  if (manifest.bundledRoms !== undefined) yield { field: 'bundledRoms', path: manifest.bundledRoms, directory: true };
}

/** Why a path cannot be read; undefined if it can. A pipe or device might never end. */
async function faultOf(path: string, wantsDirectory: boolean): Promise<string | undefined> {
  const kind = wantsDirectory ? 'folder' : 'file';
  try {
    const found = await stat(path);
    if (!(wantsDirectory ? found.isDirectory() : found.isFile())) return `not a ${kind}`;
    await access(path, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return `no such ${kind}`;
    return code === 'EACCES' ? 'permission denied' : message;
  }
}

function withAbsolutePaths(manifest: Manifest, directory: string): Manifest {
  const at = (path: string) => resolve(directory, path);
  const maybe = <K extends string>(key: K, path: string | undefined) =>
    (path === undefined ? {} : { [key]: at(path) }) as { [P in K]?: string };
  return {
    ...manifest,
    firmware: manifest.firmware.map((entry) => ({ ...entry, code: at(entry.code), ...maybe('vars', entry.vars) })),
    roms: manifest.roms.map((entry) => ({ ...entry, path: at(entry.path) })),
    nbps: manifest.nbps.map((entry) => ({
      ...entry,
      path: at(entry.path),
      companions: Object.fromEntries(Object.entries(entry.companions).map(([name, path]) => [name, at(path)])),
    })),
    kernels: manifest.kernels.map((entry) => ({
      ...entry,
      kernel: at(entry.kernel),
      ...maybe('initrd', entry.initrd),
    })),
    ...maybe('bundledRoms', manifest.bundledRoms),
  };
}

/**
 * Reads and checks a folder's `set.json`; returns absolute paths. Rejects with HarnessError `bad-set` that
 * names the file and the field.
 */
export async function readManifest(directory: string): Promise<Manifest> {
  const file = join(directory, manifestFile);
  let raw: unknown;
  try {
    const fault = await faultOf(file, false);
    if (fault !== undefined) throw new Error(fault);
    raw = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw bad(file, [`${cause instanceof SyntaxError ? 'not valid JSON: ' : ''}${(cause as Error).message}`], cause);
  }
  return checkManifest(raw, directory);
}

/** Checks the content of a folder's `set.json`, existing or proposed. Rejects like `readManifest`. */
export async function checkManifest(raw: unknown, directory: string): Promise<Manifest> {
  const file = join(directory, manifestFile);
  const checked = checkShape(manifestSchema, raw);
  if ('problems' in checked) throw bad(file, checked.problems);
  const manifest = withAbsolutePaths(checked.value, directory);
  for (const { field, path, directory: wantsDirectory } of pathsOf(manifest)) {
    const fault = await faultOf(path, wantsDirectory);
    if (fault !== undefined) throw bad(file, [`${field}: ${fault}: ${path}`]);
  }
  checkPackages(file, manifest);
  return manifest;
}

function checkPackages(file: string, manifest: Manifest): void {
  const names = new Set(manifest.packages.map((entry) => entry.name));
  for (const part of ['firmware', 'roms', 'nbps', 'kernels'] as const) {
    for (const [i, entry] of manifest[part].entries()) {
      if (entry.package !== undefined && !names.has(entry.package)) {
        throw bad(file, [`${part}[${i}].package: "${entry.package}" is not in packages`]);
      }
    }
  }
  const bundled = manifest.bundledRomsPackage;
  if (bundled !== undefined && !names.has(bundled))
    throw bad(file, [`bundledRomsPackage: "${bundled}" is not in packages`]);
}
