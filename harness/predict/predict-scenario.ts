import type { Inspection } from '../assets/inspect/inspect.ts';
import type { PeFacts } from '../assets/inspect/pe.ts';
import type { Inspections } from '../assets/inspections.ts';
import { pciDeviceOf } from '../model/nics.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import type { Stage } from '../model/stages.ts';
import { type Prediction, predict } from './predict.ts';

/** The PE image of an NBP or EFI-stub kernel. */
function peOf(inspection: Inspection | null): PeFacts | null {
  return inspection?.type === 'pe' || inspection?.type === 'kernel' ? inspection.pe : null;
}

/** Predicts a cell whose path is `stagePath`, from inspecting its files and from known facts. */
export async function predictScenario(
  cell: Scenario,
  { resolved, stagePath }: { resolved: Resolved; stagePath: readonly Stage[] },
  inspections: Pick<Inspections, 'of'>,
): Promise<Prediction> {
  const look = (path: string | null | undefined) => (path ? inspections.of(path) : null);
  const { firmware } = resolved;
  const rom = await look(resolved.inputs.find(({ role }) => role === 'oprom')?.path);
  const code = firmware.interface === 'bios' ? null : await look(firmware.code);
  return predict({
    arch: cell.arch,
    interface: firmware.interface,
    firmwareFacts: code?.type === 'firmware' ? code : null,
    nic: pciDeviceOf(cell),
    rom: rom?.type === 'option-rom' ? rom : null,
    romByQemu: resolved.oprom.kind === 'bundled',
    servedAsPlainPxe: cell.standIn === true,
    secureBoot: cell.secureBoot,
    randomSource: cell.randomSource !== false,
    secondStage: typeof cell.secondStage === 'string' ? cell.secondStage : 'none',
    payload: cell.payload,
    nbp: peOf(await look(resolved.nbp?.path)),
    stagePath,
  });
}
