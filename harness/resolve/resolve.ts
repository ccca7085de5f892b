import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Uki } from '../assets/derive/uki.ts';
import type { Fingerprints } from '../assets/fingerprint.ts';
import { identityOf } from '../assets/inspect/describe.ts';
import { type FirmwareFacts, wantsRandomSource } from '../assets/inspect/firmware.ts';
import { ipxeRolesOf } from '../assets/inspect/ipxe-roles.ts';
import type { Inspections } from '../assets/inspections.ts';
import {
  type ArtefactSet,
  type FoundFirmware,
  type FoundKernel,
  type FoundNbp,
  type FoundRom,
  isMissing,
  type Missing,
} from '../assets/sets/artefact-set.ts';
import type { ArtefactSets } from '../assets/sets/sets.ts';
import { type FirmwareInterface, type SecondStage, serialConsoleOf } from '../model/axes.ts';
import type { Input, InputRole } from '../model/plan.ts';
import type { NonceField, Oprom, Resolved, ResolvedFile } from '../model/resolved.ts';
import { isReplaced } from '../model/said-files.ts';
import { hostQemu, type Scenario } from '../model/scenario.ts';
import { transportsOf } from '../model/transports.ts';
import { checkNamedFiles } from './named-files.ts';
import { nbpName } from './nbp-name.ts';
import { findQemu } from './qemu.ts';

/** Where artefacts come from. */
export interface PlanSources {
  sets: Pick<ArtefactSets, 'get' | 'kernel' | 'payload' | 'program' | 'signed' | 'uki'>;
  fingerprints: Fingerprints;
  inspections: Pick<Inspections, 'of'>;
}

const nonceSchema = z.object({ nonce: z.object({ offsets: z.array(z.int().nonnegative()), bytes: z.int() }) });

/** A reason why the cell cannot be run here, thrown through the resolution and caught at its top. */
class NotHere extends Error {}

const noRomBar = /^(virtio-net-device|usb-.*)$/;

interface Collector {
  add(role: InputRole, path: string, from?: Input['package']): Promise<ResolvedFile>;
  inputs: Input[];
}

function createCollector({ fingerprints, inspections }: PlanSources): Collector {
  const inputs: Input[] = [];
  return {
    inputs,
    async add(role, path, from) {
      const { sha256, bytes } = await fingerprints.of(path);
      // Disks and the like cannot be looked into, and need not be.
      const inspection = await inspections.of(path).catch(() => undefined);
      const isKnown = inspection !== undefined && !(inspection.type === 'unknown' && inspection.guess === null);
      const ipxe = inspection && ipxeRolesOf(inspection);
      inputs.push({
        ...{ role, path, sha256, bytes },
        ...(from && { package: { name: from.name, version: from.version } }),
        ...(isKnown && { identity: identityOf(inspection) }),
        ...(ipxe && { ipxe }),
      });
      return { path, bytes };
    },
  };
}

const setOf = async (name: string, { sets }: PlanSources): Promise<ArtefactSet> =>
  found<ArtefactSet>(await sets.get(name));

function found<T extends object>(query: T | Missing): T {
  if (isMissing(query)) throw new NotHere(query.missing);
  return query;
}

async function firmwareFactsOf(code: string | undefined, { inspections }: PlanSources): Promise<FirmwareFacts | null> {
  const facts = code === undefined ? null : await inspections.of(code);
  return facts?.type === 'firmware' ? facts : null;
}

async function resolveFirmware(
  scenario: Scenario,
  sources: PlanSources,
  { add }: Collector,
): Promise<Resolved['firmware']> {
  const { firmware, arch, secureBoot, machine } = scenario;
  if (typeof firmware === 'object') {
    await add('firmware-code', firmware.code);
    if (firmware.vars !== undefined) await add('firmware-vars', firmware.vars);
    return {
      interface: 'uefi',
      code: firmware.code,
      vars: firmware.vars ?? null,
      format: 'raw',
      smm: false,
      flat: firmware.vars === undefined && machine !== 'virt',
      wantsRandomSource: wantsRandomSource(await firmwareFactsOf(firmware.code, sources)),
    };
  }
  const set = await setOf(scenario.set, sources);
  const answer = found<FoundFirmware>(set.firmware({ firmware, arch, secureBoot, machine }));
  const recorded = answer.code ?? answer.builtIn;
  if (recorded !== undefined) await add('firmware-code', recorded, answer.package);
  if (answer.vars !== undefined) await add('firmware-vars', answer.vars, answer.package);
  const isBios = firmware === 'seabios';
  return {
    interface: isBios ? 'bios' : 'uefi',
    code: answer.code ?? null,
    vars: answer.vars ?? null,
    format: answer.format,
    smm: answer.smm,
    flat: firmware === 'seabios',
    wantsRandomSource: isBios ? false : wantsRandomSource(await firmwareFactsOf(answer.code, sources)),
  };
}

async function resolveOprom(scenario: Scenario, sources: PlanSources, { add }: Collector): Promise<Oprom> {
  const { rom, nic, arch, firmware } = scenario;
  if (noRomBar.test(nic)) {
    if (rom !== 'none') throw new NotHere(`${nic} has no expansion ROM BAR, so no option ROM of any kind`);
    return { kind: 'unsupported' };
  }
  if (rom === 'none' || rom === 'rombar-off') return { kind: rom };
  if (typeof rom === 'object' && 'file' in rom) {
    const { path } = await add('oprom', rom.file);
    return { kind: 'file', path };
  }
  const wanted = typeof rom === 'object' ? rom : { kind: rom, set: scenario.set };
  const set = await setOf(wanted.set, sources);
  const kindOfFirmware = typeof firmware === 'object' ? (arch === 'aarch64' ? 'aavmf' : 'ovmf') : firmware;
  // With the modern interface alone the device goes by another id, which SeaBIOS compares.
  const device = nic === 'virtio-net-pci' && scenario.virtio === 'modern' ? 'virtio-net-pci-non-transitional' : nic;
  const answer = found<FoundRom>(await set.rom({ nic: device, kind: wanted.kind, arch, firmware: kindOfFirmware }));
  const { path } = await add('oprom', answer.path, answer.package);
  return answer.byQemu ? { kind: 'bundled' } : { kind: 'file', path };
}

/** The nonce field of a program of own source, as its build told it in the file beside it. */
async function nonceFieldOf(path: string): Promise<NonceField> {
  const sidecar = path.replace(/\.[^./]*$/, '.json');
  const parsed = nonceSchema.safeParse(JSON.parse(await readFile(sidecar, 'utf8')));
  if (!parsed.success) throw new NotHere(`${sidecar} does not tell where the nonce goes: run npm run setup`);
  return parsed.data.nonce;
}

/** Signs what the scenario wants signed, for the firmware's own variable store. */
function createSigner({ signWith }: Scenario, { vars }: Resolved['firmware'], { sets, fingerprints }: PlanSources) {
  return async (path: string): Promise<string> => {
    if (signWith === undefined) return path;
    if (vars === null) throw new NotHere('nothing can be signed for firmware without a variable store');
    return found<{ path: string }>(await sets.signed(path, vars, fingerprints)).path;
  };
}
type Signer = ReturnType<typeof createSigner>;

type Payload = Pick<Resolved, 'kernel' | 'initrd' | 'overlay'>;

async function findNbp(
  { arch, firmware, nbpSet, set }: Scenario,
  secondStage: SecondStage,
  fromSet: string | undefined,
  sources: PlanSources,
): Promise<FoundNbp> {
  const source = await setOf(fromSet ?? nbpSet ?? set, sources);
  const kindOfFirmware = typeof firmware === 'object' ? (arch === 'aarch64' ? 'aavmf' : 'ovmf') : firmware;
  return found<FoundNbp>(source.nbp({ secondStage, arch, firmware: kindOfFirmware }));
}

/** The command line inside a unified kernel image, up to the nonce. */
function ukiCommandLine({ arch, kernelArgs = '' }: Scenario): string {
  return [`console=${serialConsoleOf[arch]}`, kernelArgs, 'nbh.nonce='].filter(Boolean).join(' ');
}

/** The set has the stub; what else is in the image is the case's own. */
async function assembleUki(
  scenario: Scenario,
  stub: FoundNbp,
  { kernel, initrd, overlay }: Payload,
  { sets, fingerprints }: PlanSources,
  { add }: Collector,
): Promise<ResolvedFile & { nonce: NonceField }> {
  if (!kernel || !initrd)
    throw new NotHere('a unified kernel image is made of kernel and initrd: it needs payload linux');
  if (scenario.signWith !== undefined)
    throw new NotHere("a unified kernel image holds its run's nonce: it is not signed");
  await add('second-stage', stub.path, stub.package);
  const initrds = [initrd.path, ...(overlay ? [overlay.path] : [])];
  const parts = { stub: stub.path, kernel: kernel.path, initrds, commandLine: ukiCommandLine(scenario) };
  const { path, nonce } = found<Uki>(await sets.uki(parts, fingerprints));
  return { ...(await add('nbp', path)), nonce };
}

async function resolveSecondStage(
  scenario: Scenario,
  sources: PlanSources,
  collector: Collector,
  signed: Signer,
  payload: Payload,
  firmware: FirmwareInterface,
): Promise<Pick<Resolved, 'nbp' | 'companions'>> {
  const { secondStage } = scenario;
  const { add } = collector;
  if (secondStage === 'none') return { nbp: undefined, companions: {} };
  const name = nbpName(scenario, firmware);
  if (typeof secondStage === 'object') {
    return { nbp: { ...(await add('nbp', await signed(secondStage.file))), name }, companions: {} };
  }
  const answer = await findNbp(scenario, secondStage, undefined, sources);
  if (secondStage === 'uki') {
    return { nbp: { ...(await assembleUki(scenario, answer, payload, sources, collector)), name }, companions: {} };
  }
  const companions: Record<string, ResolvedFile> = {};
  for (const [served, path] of Object.entries(answer.companions)) {
    if (isReplaced(scenario, served)) continue;
    // GRUB's modules and the like are no EFI images: there is nothing to sign.
    const isImage = (await sources.inspections.of(path)).type === 'pe';
    companions[served] = await add('second-stage', isImage ? await signed(path) : path, answer.package);
  }
  const nbp = { ...(await add('nbp', await signed(answer.path), answer.package)), name };
  return { nbp: secondStage === 'probe' ? { ...nbp, nonce: await nonceFieldOf(answer.path) } : nbp, companions };
}

/** What the scenario serves by role instead of by path; what it serves by path is looked at only to be recorded. */
async function resolveServed(
  scenario: Scenario,
  sources: PlanSources,
  { add }: Collector,
  signed: Signer,
): Promise<Resolved['served']> {
  const served: Record<string, ResolvedFile> = {};
  for (const [name, file] of Object.entries(scenario.serve ?? {})) {
    if ('path' in file) await add('served', file.path);
    if (!('secondStage' in file)) continue;
    const answer = await findNbp(scenario, file.secondStage, file.set, sources);
    served[name] = await add('served', await signed(answer.path), answer.package);
  }
  return served;
}

async function resolvePayload(
  scenario: Scenario,
  sources: PlanSources,
  { add }: Collector,
  signed: Signer,
): Promise<Payload> {
  const { payload, arch } = scenario;
  if (payload !== 'linux' && payload !== 'installer')
    return { kernel: undefined, initrd: undefined, overlay: undefined };
  const wantsPackaged = !scenario.kernel || (payload === 'installer' && !scenario.initrd);
  const packaged = wantsPackaged
    ? found<FoundKernel>(await sources.sets.kernel(arch, scenario.nbpSet ?? scenario.set))
    : undefined;
  const packaging = packaged?.package;
  const kernel = scenario.kernel
    ? await add('kernel', await signed(scenario.kernel.file))
    : await add('kernel', await signed(packaged?.kernel as string), packaging);
  if (scenario.initrd) return { kernel, initrd: await add('initrd', scenario.initrd.file), overlay: undefined };
  const tiny = found<{ path: string }>(await sources.sets.payload(`linux-initrd-${arch}.cpio.gz`));
  if (payload === 'installer') {
    if (packaged?.initrd === undefined) throw new NotHere(`no installer initrd for ${arch} was found`);
    // The installer's own /init knows no nonce: the tiny initrd's, unpacked after it, takes its place.
    return { kernel, initrd: await add('initrd', packaged.initrd, packaging), overlay: await add('initrd', tiny.path) };
  }
  return { kernel, initrd: await add('initrd', tiny.path), overlay: undefined };
}

async function resolveSan(scenario: Scenario, { sets }: PlanSources, { add }: Collector): Promise<Resolved['san']> {
  if (scenario.payload !== 'iscsi' && scenario.sanHook !== true) return undefined;
  const { path } = found<{ path: string }>(await sets.payload('probe-disk.img'));
  const program = found<{ root: string }>(await sets.program('tgt'));
  return { disk: await add('disk', path), nonce: await nonceFieldOf(path), programRoot: program.root };
}

/**
 * Finds every file a scenario needs; a reason where one is missing.
 * @throws HarnessError `bad-matrix` where a file that the scenario names is not there.
 */
export async function resolveScenario(
  scenario: Scenario,
  sources: PlanSources,
): Promise<Resolved | { missing: string }> {
  await checkNamedFiles(scenario);
  const collector = createCollector(sources);
  try {
    const qemu = found<Resolved['qemu']>(await findQemu(scenario, sources.sets));
    if (scenario.qemu !== hostQemu) await collector.add('qemu', qemu.program);
    const firmware = await resolveFirmware(scenario, sources, collector);
    const oprom = await resolveOprom(scenario, sources, collector);
    const signed = createSigner(scenario, firmware, sources);
    const payload = await resolvePayload(scenario, sources, collector, signed);
    const secondStage = await resolveSecondStage(scenario, sources, collector, signed, payload, firmware.interface);
    const served = await resolveServed(scenario, sources, collector, signed);
    const san = await resolveSan(scenario, sources, collector);
    const loader = typeof scenario.secondStage === 'object' ? 'custom' : scenario.secondStage;
    const decided = { loader, transports: transportsOf(scenario.transport) } as const;
    return { qemu, firmware, oprom, ...decided, ...secondStage, served, ...payload, san, inputs: collector.inputs };
  } catch (error) {
    if (error instanceof NotHere) return { missing: error.message };
    throw error;
  }
}
