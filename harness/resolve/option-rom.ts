import type { FoundRom } from '../assets/sets/artefact-set.ts';
import { hasRomBar, pciDeviceOf } from '../model/nics.ts';
import type { Oprom, Resolved } from '../model/resolved.ts';
import { fromSet, NotHere, type Resolving } from './resolving.ts';

/** What goes into the NIC's ROM BAR. */
export async function resolveOptionRom(
  { scenario, sources, add }: Resolving,
  firmware: Resolved['firmware'],
): Promise<Oprom> {
  const { rom, nic, arch } = scenario;
  if (!hasRomBar(nic)) {
    if (rom !== 'none') throw new NotHere(`${nic} has no expansion ROM BAR, hence no option ROM`);
    return { kind: 'unsupported' };
  }
  if (rom === 'none' || rom === 'rombar-off') return { kind: rom };
  if (typeof rom === 'object' && 'file' in rom) {
    const { path } = await add('oprom', rom.file);
    return { kind: 'file', path };
  }
  const { kind, set } = typeof rom === 'object' ? rom : { kind: rom, set: scenario.set };
  const query = { nic: pciDeviceOf(scenario), kind, arch, interface: firmware.interface };
  const answer = await fromSet<FoundRom>(
    sources,
    set,
    (from) => from.rom(query),
    (other) => `"rom": { "kind": "${kind}", "set": "${other}" }`,
  );
  const { path } = await add('oprom', answer.path, answer.package);
  return answer.byQemu ? { kind: 'bundled' } : { kind: 'file', path };
}
