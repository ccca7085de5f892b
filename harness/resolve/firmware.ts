import { type FirmwareFacts, needsSmm, wantsRandomSource } from '../assets/inspect/firmware.ts';
import { interfaceOf } from '../assets/inspect/firmware-interface.ts';
import { type Inspection, qcow2Guess } from '../assets/inspect/inspect.ts';
import type { FoundFirmware } from '../assets/sets/artefact-set.ts';
import type { Arch, FirmwareInterface } from '../model/axes.ts';
import { interfaceOfFirmware } from '../model/firmware-interface.ts';
import type { Resolved } from '../model/resolved.ts';
import type { FirmwareFiles } from '../model/scenario.ts';
import { found, fromSet, NotHere, type Resolving } from './resolving.ts';

type ResolvedFirmware = Resolved['firmware'];

const machineNamesOf: Record<Arch, readonly string[]> = { x86_64: ['X64', 'IA32'], aarch64: ['AA64'] };

/** QEMU's virt machine has two flash devices of this size and accepts no other image size. */
const virtFlashBytes = 64 * 1024 * 1024;

const factsOf = (inspection: Inspection): FirmwareFacts | null => (inspection.type === 'firmware' ? inspection : null);

function interfaceBy({ code, interface: said }: FirmwareFiles, looked: Inspection): FirmwareInterface {
  const seen = said ?? interfaceOf(looked);
  if (seen !== undefined) return seen;
  if (looked.type === 'firmware')
    throw new NotHere(`firmware.code: ${code}: it has variables but no code: use it as firmware.vars`);
  const hint = 'add "interface": "bios" or "uefi"';
  throw new NotHere(
    `firmware.code: ${code}: it has neither a UEFI firmware volume nor the reset vector of a legacy BIOS: ${hint}`,
  );
}

/** Why this firmware cannot run in this scenario; undefined if it can. */
function misfit(
  { scenario: { arch, secureBoot } }: Resolving,
  { code, vars }: FirmwareFiles,
  runBy: FirmwareInterface,
  looked: Inspection,
): string | undefined {
  if (runBy === 'bios') {
    if (arch === 'aarch64') return `firmware.code: ${code}: a legacy BIOS, which does not exist on aarch64`;
    if (vars !== undefined) return `firmware.vars: ${code} is a legacy BIOS, which has no variable store: leave it out`;
    return secureBoot === 'off' ? undefined : `firmware.code: ${code}: a legacy BIOS, which has no Secure Boot`;
  }
  const machines = factsOf(looked)?.machines ?? [];
  if (machines.length > 0 && !machines.some((name) => machineNamesOf[arch].includes(name)))
    return `firmware.code: ${code}: it is built for ${machines.join(' and ')}, but the machine is ${arch}`;
  return undefined;
}

/** The file as QEMU's flash devices accept it: on virt padded with zeros, as distributions do. */
async function flashImage({ scenario, sources }: Resolving, path: string): Promise<string> {
  if (scenario.arch !== 'aarch64') return path;
  return found<{ path: string }>(await sources.sets.filledUp(path, virtFlashBytes, sources.fingerprints)).path;
}

async function firmwareByPath(resolving: Resolving, files: FirmwareFiles): Promise<ResolvedFirmware> {
  const { code, vars } = files;
  const looked = await resolving.sources.inspections.of(code);
  const runBy = interfaceBy(files, looked);
  const obstacle = misfit(resolving, files, runBy, looked);
  if (obstacle !== undefined) throw new NotHere(obstacle);
  await resolving.add('firmware-code', code);
  if (vars !== undefined) await resolving.add('firmware-vars', vars);
  if (runBy === 'bios') {
    const plain = { vars: null, format: 'raw', smm: false, flat: true, wantsRandomSource: false } as const;
    return { interface: runBy, code, ...plain };
  }
  const isQcow2 = looked.type === 'unknown' && looked.guess === qcow2Guess;
  const facts = factsOf(looked);
  return {
    interface: runBy,
    code: isQcow2 ? code : await flashImage(resolving, code),
    vars: vars === undefined ? null : isQcow2 ? vars : await flashImage(resolving, vars),
    format: isQcow2 ? 'qcow2' : 'raw',
    smm: facts !== null && needsSmm(facts),
    flat: false,
    wantsRandomSource: wantsRandomSource(facts),
  };
}

async function firmwareOfSet(
  { scenario, sources, add }: Resolving,
  firmware: FoundFirmware['firmware'],
): Promise<ResolvedFirmware> {
  const { arch, secureBoot, machine, set } = scenario;
  const query = { firmware, arch, secureBoot, machine };
  const answer = await fromSet<FoundFirmware>(
    sources,
    set,
    (from) => from.firmware(query),
    (other) => `"set": "${other}"`,
  );
  const recorded = answer.code ?? answer.builtIn;
  if (recorded !== undefined) await add('firmware-code', recorded, answer.package);
  if (answer.vars !== undefined) await add('firmware-vars', answer.vars, answer.package);
  const isBios = interfaceOfFirmware(firmware) === 'bios';
  const facts = isBios || answer.code === undefined ? null : factsOf(await sources.inspections.of(answer.code));
  return {
    interface: isBios ? 'bios' : 'uefi',
    code: answer.code ?? null,
    vars: answer.vars ?? null,
    format: answer.format,
    smm: answer.smm,
    flat: isBios,
    wantsRandomSource: !isBios && wantsRandomSource(facts),
  };
}

/** The platform firmware, from a set or by path; whether it is BIOS or UEFI is decided here. */
export function resolveFirmware(resolving: Resolving): Promise<ResolvedFirmware> {
  const { firmware } = resolving.scenario;
  return typeof firmware === 'object' ? firmwareByPath(resolving, firmware) : firmwareOfSet(resolving, firmware);
}
