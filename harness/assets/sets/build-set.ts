import type { Arch } from '../../model/axes.ts';
import { findRom } from '../rom/find.ts';
import type {
  ArtefactSet,
  FirmwareQuery,
  FoundFirmware,
  FoundKernel,
  FoundNbp,
  Missing,
  NbpQuery,
} from './artefact-set.ts';
import { machineFits } from './machine-pattern.ts';
import type { SetParts } from './set-parts.ts';

function findFirmware(
  parts: SetParts,
  { firmware, arch, secureBoot, machine }: FirmwareQuery,
): FoundFirmware | Missing {
  const { name, content } = parts;
  const candidates = content.firmware.filter(
    (entry) => entry.firmware === firmware && entry.arch === arch && entry.secureBoot === secureBoot,
  );
  const entry = candidates.find(({ machines }) => machine === undefined || machineFits(machine, machines));
  if (entry !== undefined) {
    const { code, vars, format, smm, machines } = entry;
    const identity = content.packageOf(code);
    return {
      set: name,
      package: identity,
      firmware,
      arch,
      code,
      builtIn: undefined,
      vars,
      format,
      secureBoot,
      smm,
      machines,
    };
  }
  if (firmware === 'seabios' && arch === 'x86_64' && secureBoot === 'off') {
    return {
      set: name,
      package: parts.builtInSeabios?.package,
      firmware,
      arch,
      code: undefined,
      builtIn: parts.builtInSeabios?.path,
      vars: undefined,
      format: 'raw',
      secureBoot,
      smm: false,
      machines: undefined,
    };
  }
  const what = secureBoot === 'off' ? '' : ` with Secure Boot (${secureBoot})`;
  if (candidates.length > 0)
    return { missing: `no ${firmware} for ${arch}${what} in set ${name} is made for machine ${machine}` };
  return { missing: `no ${firmware} for ${arch}${what} in set ${name}` };
}

function findNbp(parts: SetParts, { secondStage, arch, ...query }: NbpQuery): FoundNbp | Missing {
  const { name, content } = parts;
  const bios = query.interface === 'bios';
  const found = { set: name, secondStage, arch, bios, companions: {} };
  if (secondStage === 'none') return { missing: 'second stage "none" has no NBP' };
  if (secondStage === 'linux') {
    const kernel = bios ? { missing: 'a Linux kernel cannot be an NBP under legacy BIOS' } : findKernel(parts, arch);
    return 'missing' in kernel ? kernel : { ...found, package: kernel.package, path: kernel.kernel };
  }
  const entry = content.nbps.find((nbp) => nbp.secondStage === secondStage && nbp.arch === arch && nbp.bios === bios);
  if (entry !== undefined) {
    return { ...found, package: content.packageOf(entry.path), path: entry.path, companions: entry.companions };
  }
  if (secondStage === 'probe') {
    const payload = parts.payload(bios ? 'probe-bios.0' : `probe-${arch}.efi`);
    return 'missing' in payload ? payload : { ...found, package: undefined, path: payload.path };
  }
  return { missing: `no such NBP (${secondStage}, ${arch}, ${bios ? 'BIOS' : 'UEFI'}) in set ${name}` };
}

function findKernel({ name, content }: SetParts, arch: Arch): FoundKernel | Missing {
  const entry = content.kernels.find((kernel) => kernel.arch === arch);
  if (entry === undefined) return { missing: `no kernel for ${arch} in set ${name}` };
  return { set: name, package: content.packageOf(entry.kernel), arch, kernel: entry.kernel, initrd: entry.initrd };
}

export function buildSet(parts: SetParts): ArtefactSet {
  return {
    name: parts.name,
    description: parts.description,
    packages: parts.content.packages,
    firmware: (query) => findFirmware(parts, query),
    rom: (query) => findRom(parts, query),
    nbp: (query) => findNbp(parts, query),
    kernel: (arch) => findKernel(parts, arch),
  };
}
