import type { Uki } from '../assets/derive/uki.ts';
import type { FoundNbp } from '../assets/sets/artefact-set.ts';
import { type Arch, type FirmwareInterface, kernelArgsOf, type SecondStage } from '../model/axes.ts';
import type { Resolved, ResolvedFile } from '../model/resolved.ts';
import { isReplaced } from '../model/said-files.ts';
import type { Scenario } from '../model/scenario.ts';
import { nbpName } from './nbp-name.ts';
import { nonceFieldOf } from './nonce-field.ts';
import type { Payload } from './payload.ts';
import { found, fromSet, NotHere, type Resolving } from './resolving.ts';
import type { Signer } from './signer.ts';

/** What second stages are resolved for and with. */
export interface SecondStageParts {
  readonly runBy: FirmwareInterface;
  readonly signed: Signer;
  readonly payload: Payload;
}

interface Wanted {
  readonly secondStage: SecondStage;
  readonly set: string;
  readonly arch: Arch;
  /** The matrix syntax for taking it from another set. */
  readonly say: (set: string) => string;
}

const findNbp = ({ sources }: Resolving, runBy: FirmwareInterface, wanted: Wanted) =>
  fromSet<FoundNbp>(
    sources,
    wanted.set,
    (from) => from.nbp({ secondStage: wanted.secondStage, arch: wanted.arch, interface: runBy }),
    wanted.say,
  );

/** The command line inside a unified kernel image, up to the nonce. */
function ukiCommandLine({ arch, kernelArgs = '' }: Scenario): string {
  return [kernelArgsOf[arch], kernelArgs, 'nbh.nonce='].filter(Boolean).join(' ');
}

/** The set provides the stub; everything else in the image comes from the case. */
async function assembleUki(
  { scenario, sources, add }: Resolving,
  stub: FoundNbp,
  { kernel, initrd, overlay }: Payload,
): Promise<NonNullable<Resolved['nbp']>> {
  if (!kernel || !initrd) throw new NotHere('a unified kernel image needs a kernel and an initrd: use payload linux');
  if (scenario.signWith !== undefined)
    throw new NotHere("a unified kernel image holds the run's nonce and cannot be signed");
  await add('second-stage', stub.path, stub.package);
  const initrds = [initrd.path, ...(overlay ? [overlay.path] : [])];
  const parts = { stub: stub.path, kernel: kernel.path, initrds, commandLine: ukiCommandLine(scenario) };
  const { path, nonce } = found<Uki>(await sources.sets.uki(parts, sources.fingerprints));
  return { ...(await add('nbp', path)), name: nbpName(scenario, 'uefi'), nonce };
}

/** What else the NBP fetches, except what the scenario replaces. */
async function resolveCompanions(
  { scenario, sources, add }: Resolving,
  nbp: FoundNbp,
  signed: Signer,
): Promise<Resolved['companions']> {
  const companions: Record<string, ResolvedFile> = {};
  for (const [served, path] of Object.entries(nbp.companions)) {
    if (isReplaced(scenario, served)) continue;
    // GRUB's modules and the like are not EFI images: nothing to sign.
    const isImage = (await sources.inspections.of(path)).type === 'pe';
    companions[served] = await add('second-stage', isImage ? await signed(path) : path, nbp.package);
  }
  return companions;
}

/** The NBP and what else it fetches. */
export async function resolveSecondStage(
  resolving: Resolving,
  { runBy, signed, payload }: SecondStageParts,
): Promise<Pick<Resolved, 'nbp' | 'companions'>> {
  const { scenario, add } = resolving;
  const { secondStage, nbpSet, set } = scenario;
  if (secondStage === 'none') return { nbp: undefined, companions: {} };
  const name = nbpName(scenario, runBy);
  if (typeof secondStage === 'object') {
    return { nbp: { ...(await add('nbp', await signed(secondStage.file))), name }, companions: {} };
  }
  const say = (other: string) => `"nbpSet": "${other}"`;
  const answer = await findNbp(resolving, runBy, { secondStage, arch: scenario.arch, set: nbpSet ?? set, say });
  if (secondStage === 'uki') return { nbp: await assembleUki(resolving, answer, payload), companions: {} };
  const companions = await resolveCompanions(resolving, answer, signed);
  const nbp = { ...(await add('nbp', await signed(answer.path), answer.package)), name };
  return { nbp: secondStage === 'probe' ? { ...nbp, nonce: await nonceFieldOf(answer.path) } : nbp, companions };
}

/** What the scenario serves by role; what it serves by path is inspected for the record only. */
export async function resolveServed(
  resolving: Resolving,
  { runBy, signed }: SecondStageParts,
): Promise<Resolved['served']> {
  const { scenario, add } = resolving;
  const served: Record<string, ResolvedFile> = {};
  for (const [name, file] of Object.entries(scenario.serve ?? {})) {
    if ('path' in file) await add('served', file.path);
    if (!('secondStage' in file)) continue;
    const say = (other: string) => `"set": "${other}" in serve["${name}"]`;
    const set = file.set ?? scenario.nbpSet ?? scenario.set;
    const answer = await findNbp(resolving, runBy, {
      secondStage: file.secondStage,
      arch: file.arch ?? scenario.arch,
      set,
      say,
    });
    served[name] = await add('served', await signed(answer.path), answer.package);
  }
  return served;
}
