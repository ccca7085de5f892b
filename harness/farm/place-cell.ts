import type { Fingerprints } from '../assets/fingerprint.ts';
import { isMissing } from '../assets/sets/artefact-set.ts';
import type { ArtefactSets } from '../assets/sets/sets.ts';
import { isShared, programsOf } from '../model/provisioner.ts';
import { reachOf } from '../model/reach.ts';
import type { Resolved, ResolvedProgram } from '../model/resolved.ts';
import { findQemu } from '../resolve/qemu.ts';
import { NotHere } from '../resolve/resolving.ts';
import type { FoundCase } from '../run/found-case.ts';
import { type Carried, type CarriedBoot, sha256In } from './carried.ts';
import { withPaths } from './paths.ts';

/** Why a worker does not run a cell that it got. */
export class Refused extends Error {}

export interface PlaceOptions {
  sets: Pick<ArtefactSets, 'program' | 'command' | 'ofQemu'>;
  fingerprints: Pick<Fingerprints, 'of'>;
  /** Cells that reach beyond the guest are run. */
  trust: boolean;
  /** Where the content is on this machine. */
  fileOf(sha256: string): Promise<string>;
}

/** The rules for scenarios of strangers; and every file is a reference, so that none of this machine's own is read. */
function refuseReach({ scenario }: Pick<CarriedBoot, 'scenario'>, trust: boolean): void {
  const reach = reachOf(scenario);
  const ownFile = reach.find(({ isPath, value }) => isPath && sha256In(value) === undefined);
  if (ownFile) throw new Refused(`${ownFile.key} is a path of some machine, and not the content of a file`);
  if (typeof scenario.qemu === 'object') throw new Refused('its QEMU is a program by path');
  const strange = reach.find(({ isPath }) => !isPath);
  if (strange && !trust)
    throw new Refused(`${strange.key} reaches beyond the guest, which needs --trust on the worker`);
}

async function ownProgram(
  command: string,
  { sets }: PlaceOptions,
): Promise<{ path: string; env: Record<string, string> }> {
  if (command.includes('/')) throw new Refused(`${command}: a program by path`);
  const program = await sets.command(command);
  if (isMissing(program)) throw new Refused(program.missing);
  return program;
}

async function placeProvisioner(
  { scenario, resolved }: CarriedBoot,
  options: PlaceOptions,
): Promise<Resolved['provisioner']> {
  if (scenario.provisioner === undefined) return undefined;
  if (isShared(scenario.provisioner)) throw new Refused("its provisioner has a whole group's guests");
  const asked = programsOf(scenario.provisioner);
  if (resolved.provisioner?.length !== asked.length) throw new Refused('its programs and their files do not agree');
  const programs: ResolvedProgram[] = [];
  for (const [nth, { command }] of asked.entries())
    programs.push({
      ...(await ownProgram(command[0] as string, options)),
      files: resolved.provisioner[nth] as ResolvedProgram['files'],
    });
  const packets = await Promise.all(['socat', 'ethtool'].map((name) => options.sets.command(name)));
  const [socat, ethtool] = packets;
  const hasBoth = socat && ethtool && !isMissing(socat) && !isMissing(ethtool);
  return { programs, packetPrograms: hasBoth ? { socat, ethtool } : undefined };
}

async function placeSan({ resolved: { san } }: CarriedBoot, { sets }: PlaceOptions): Promise<Resolved['san']> {
  if (san === undefined) return undefined;
  const program = await sets.program('tgt');
  if (isMissing(program)) throw new Refused(program.missing);
  return { ...san, programRoot: program.root };
}

/** Where this machine has each file that is not sent: the one with the same content, or the cell would be another. */
async function ownInputs(
  { inputs }: CarriedBoot['resolved'],
  candidates: readonly string[],
  { fingerprints }: PlaceOptions,
): Promise<Resolved['inputs']> {
  const bySha256 = new Map<string, string>();
  const wanted = inputs.filter(({ path }) => sha256In(path) === undefined);
  if (wanted.length === 0) return [...inputs];
  for (const path of candidates) {
    const content = await fingerprints.of(path).catch(() => undefined);
    if (content !== undefined) bySha256.set(content.sha256, path);
  }
  return inputs.map((input) => {
    if (sha256In(input.path) !== undefined) return input;
    const path = bySha256.get(input.sha256);
    if (path === undefined) throw new Refused(`its ${input.role} is not among the files that QEMU has here`);
    return { ...input, path };
  });
}

/** One boot with what is this machine's own; its files are references still. */
async function withOwn(carried: CarriedBoot, options: PlaceOptions): Promise<FoundCase> {
  refuseReach(carried, options.trust);
  const { scenario, resolved, prediction } = carried;
  const qemu = await findQemu(scenario, options.sets).catch((error: unknown) => {
    throw error instanceof NotHere ? new Refused(error.message) : error;
  });
  const [san, provisioner] = [await placeSan(carried, options), await placeProvisioner(carried, options)];
  const candidates = [
    ...(scenario.qemu === 'host' ? await options.sets.ofQemu() : [qemu.program]),
    ...(provisioner?.programs ?? []).map(({ path }) => path),
  ];
  const { nbp, kernel, initrd, overlay, disk } = resolved;
  return {
    scenario,
    prediction,
    resolved: {
      ...resolved,
      ...{ qemu, san, provisioner, nbp, kernel, initrd, overlay, disk },
      inputs: await ownInputs(resolved, candidates, options),
    } as Resolved,
  };
}

/**
 * A case that was sent, with this machine's paths.
 * @throws Refused if it asks for what is not allowed, or not here; HarnessError `farm-failed` for a file that cannot be had
 */
export async function placeCell(carried: Carried, options: PlaceOptions): Promise<FoundCase> {
  const boots = carried.boots && (await Promise.all(carried.boots.map((boot) => withOwn(boot, options))));
  if (boots?.length !== carried.scenario.boots?.length) throw new Refused('its boots and their files do not agree');
  const named = { ...(await withOwn(carried, options)), ...(boots && { boots }) };
  const paths = new Map<string, string>();
  const references = new Set<string>();
  withPaths(named, (reference) => {
    references.add(reference);
    return reference;
  });
  for (const reference of references) {
    const sha256 = sha256In(reference);
    if (sha256 === undefined) throw new Refused(`${reference} is no reference to a file`);
    paths.set(reference, await options.fileOf(sha256));
  }
  return withPaths(named, (reference) => paths.get(reference) as string);
}
