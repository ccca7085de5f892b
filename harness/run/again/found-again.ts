import { existsSync, mkdirSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestInput } from '../../assets/sets/set-manifest.ts';
import { isSameRecord } from '../../model/canonical-json.ts';
import { HarnessError } from '../../model/errors.ts';
import { pciDeviceOf } from '../../model/nics.ts';
import type { Input, InputRole, Plan } from '../../model/plan.ts';
import { reachOf } from '../../model/reach.ts';
import type { Scenario } from '../../model/scenario.ts';
import { withFilesAt } from '../../model/with-files-at.ts';
import type { ArtefactSources } from '../../resolve/resolving.ts';
import { inputsFolder } from '../bundle/bundle-format.ts';
import { writeRecord } from '../records/case-directory.ts';
import { pathInside } from '../records/inside.ts';

/** Where the content of each recorded input is on this host, by SHA-256. */
export type FilesAtHand = ReadonlyMap<string, string>;

const sha256Pattern = /^[0-9a-f]{64}$/;

/** An input in the bundle; its name is its content's SHA-256. */
async function inBundle(
  { sha256 }: Input,
  bundle: string,
  { fingerprints }: ArtefactSources,
): Promise<string | undefined> {
  const path = pathInside(bundle, join(inputsFolder, sha256));
  if (!existsSync(path)) return undefined;
  if ((await fingerprints.of(path)).sha256 === sha256) return path;
  throw new HarnessError('bad-file', `${path}: its content is not what its name says`, {
    hint: 'Ask for the bundle again.',
  });
}

async function inSets(
  { sha256, bytes }: Input,
  files: readonly string[],
  { fingerprints }: ArtefactSources,
): Promise<string | undefined> {
  for (const path of files) {
    if (statSync(path, { throwIfNoEntry: false })?.size !== bytes) continue;
    const now = await fingerprints.of(path).catch(() => undefined);
    if (now?.sha256 === sha256) return path;
  }
  return undefined;
}

/**
 * Looks for recorded inputs by their SHA-256: in an unpacked bundle, then in the sets at hand. Recorded paths are a
 * stranger's, and are not looked at.
 * @throws HarnessError `bad-file` for a bundle whose files are not what it says
 */
export async function findAgain(inputs: readonly Input[], bundle: string, host: ArtefactSources): Promise<FilesAtHand> {
  const ofSets = await host.sets.files();
  const found = new Map<string, string>();
  for (const input of inputs.filter(({ sha256 }) => sha256Pattern.test(sha256))) {
    const path = (await inBundle(input, bundle, host)) ?? (await inSets(input, ofSets, host));
    if (path !== undefined) found.set(input.sha256, path);
  }
  return found;
}

/** What a plan took from sets, as manifests of sets that stand in for them. */
function manifestsOf({ scenario, inputs, interface: runBy, serve, qemu: { argv } }: Plan, files: FilesAtHand) {
  const { arch, set, nbpSet = set, rom, firmware, secureBoot, secondStage, payload } = scenario;
  const of = (role: InputRole) => inputs.find((input) => input.role === role);
  const path = (input: Input | undefined) => input && files.get(input.sha256);
  const isInArgv = (input: Input) => argv.some((word) => word.includes(input.path.replaceAll(',', ',,')));
  const from = (input: Input) => (input.package ? { package: input.package.name } : {});
  const isSigned = scenario.signWith !== undefined;

  const code = of('firmware-code');
  const codePath = path(code);
  const vars = path(of('firmware-vars'));
  const firmwares =
    typeof firmware === 'string' && code && codePath && isInArgv(code)
      ? [
          {
            ...{ firmware, arch, secureBoot, code: codePath, ...(vars && { vars }), ...from(code) },
            format: argv.some((word) => word.includes('format=qcow2')) ? ('qcow2' as const) : ('raw' as const),
            smm: argv.some((word) => word.includes('smm=on')),
          },
        ]
      : [];

  const oprom = of('oprom');
  const romPath = path(oprom);
  const kind = typeof rom === 'string' ? rom : 'kind' in rom ? rom.kind : undefined;
  // Without `romfile` QEMU chose the file, and would choose its own again.
  const roms =
    oprom && romPath && isInArgv(oprom) && kind && kind !== 'none' && kind !== 'rombar-off'
      ? [{ nic: pciDeviceOf(scenario), kind, arch, path: romPath, ...from(oprom) }]
      : [];

  // Of a unified kernel image the set has the stub.
  const nbp = of(secondStage === 'uki' ? 'second-stage' : 'nbp');
  const nbpPath = path(nbp);
  const companions = Object.entries(serve).flatMap(([name, one]) => {
    const input =
      'path' in one ? inputs.find((other) => other.role === 'second-stage' && other.path === one.path) : undefined;
    const at = path(input);
    return at === undefined ? [] : [[name, at] as const];
  });
  const isOfSet = typeof secondStage === 'string' && secondStage !== 'none' && secondStage !== 'linux' && !isSigned;
  const nbps =
    isOfSet && nbp && nbpPath
      ? [
          {
            ...{ secondStage, arch, bios: runBy === 'bios', path: nbpPath, ...from(nbp) },
            companions: Object.fromEntries(companions),
          },
        ]
      : [];

  const kernel = of('kernel');
  const kernelPath = path(kernel);
  const initrd = payload === 'installer' ? path(of('initrd')) : undefined;
  const kernels =
    kernel && kernelPath && scenario.kernel === undefined && !isSigned
      ? [{ arch, kernel: kernelPath, ...(initrd && { initrd }), ...from(kernel) }]
      : [];

  const romSet = typeof rom === 'object' && 'set' in rom ? rom.set : set;
  const parts: [string, Partial<ManifestInput>][] = [
    [set, { firmware: firmwares }],
    [romSet, { roms }],
    [nbpSet, { nbps, kernels }],
  ];
  const manifests = new Map<string, Partial<ManifestInput>>();
  for (const [name, part] of parts) manifests.set(name, { ...manifests.get(name), ...part });
  return manifests;
}

/** The same for each boot of a plan with several, each part once. */
function manifestsOfAll(plan: Plan, files: FilesAtHand) {
  const all = (plan.boots ?? [plan]).flatMap((boot) => [...manifestsOf(boot, files)]);
  const manifests = new Map<string, Partial<ManifestInput>>();
  for (const [name, parts] of all) {
    const known = manifests.get(name) ?? {};
    const joined = Object.entries(parts).map(([key, list]) => {
      const both = [...((known[key as keyof ManifestInput] ?? []) as unknown[]), ...(list as unknown[])];
      return [key, both.filter((one, at) => both.findIndex((other) => isSameRecord(one, other)) === at)];
    });
    manifests.set(name, { ...known, ...Object.fromEntries(joined) });
  }
  return manifests;
}

const standInFor = (set: string): string => `bundled-${set}`;

/** What runs a recorded case with the files at hand. */
export interface CaseAtHand {
  /** The scenario with the files that it names by path. */
  named: Scenario;
  /** The same, on the sets in `setDirs`. */
  standIn: Scenario;
  /** Folders of sets that stand in for those the case was run with. */
  setDirs: string[];
}

/** Puts the files found again where the scenario looks for them; what stays missing is left to its own sets. */
export async function caseAtHand(
  plan: Plan,
  files: FilesAtHand,
  { folder, knownSets }: { /** For the sets' manifests. */ folder: string; knownSets: readonly string[] },
): Promise<CaseAtHand> {
  const byPath = new Map<string, string>();
  const paths = new Set(reachOf(plan.scenario).flatMap(({ value, isPath }) => (isPath ? [value] : [])));
  for (const { path, sha256 } of plan.inputs.filter((input) => paths.has(input.path))) {
    const found = files.get(sha256);
    if (found === undefined) continue;
    // Into the bundle's own folder, whose files need no trust.
    mkdirSync(folder, { recursive: true });
    await copyFile(found, join(folder, sha256));
    byPath.set(path, join(folder, sha256));
  }
  const named = withFilesAt(plan.scenario, (path) => byPath.get(path) ?? path);
  const packages = [
    ...new Map(plan.inputs.flatMap((input) => input.package ?? []).map((one) => [one.name, one])).values(),
  ];
  const setDirs: string[] = [];
  const manifests = manifestsOfAll(plan, files);
  for (const [name, parts] of manifests) {
    const directory = join(folder, name);
    mkdirSync(directory, { recursive: true });
    const base = knownSets.includes(name) ? { extends: name } : {};
    await writeRecord(join(directory, 'set.json'), { name: standInFor(name), ...base, packages, ...parts });
    setDirs.push(directory);
  }
  const { set, nbpSet, rom } = named;
  return {
    named,
    setDirs,
    standIn: {
      ...named,
      set: standInFor(set),
      ...(nbpSet && { nbpSet: standInFor(nbpSet) }),
      rom: typeof rom === 'object' && 'set' in rom ? { ...rom, set: standInFor(rom.set) } : rom,
    },
  };
}
