import type { FirmwareInterface } from '../model/axes.ts';
import type { FirmwareFiles } from '../model/scenario.ts';
import type { CellCondition, Group, Matrix } from './matrix.ts';

type Firmware = CellCondition['firmware'];

const listOf = (firmware: Firmware) => [firmware ?? []].flat();

const isOpen = (firmware: ReturnType<typeof listOf>[number]): firmware is FirmwareFiles =>
  typeof firmware === 'object' && firmware.interface === undefined;

/** Until its firmware files are inspected, their default machine and the rules that match are unknown. */
export const hasUnknownFirmware = ({ firmware }: Group): boolean => listOf(firmware).some(isOpen);

/**
 * Fills in whether a firmware file is BIOS or UEFI, as found by `interfaceOf`, where the matrix does not say; left open
 * where that finds nothing.
 */
export async function withFirmwareInterfaces(
  matrix: Matrix,
  interfaceOf: (code: string) => Promise<FirmwareInterface | undefined>,
): Promise<Matrix> {
  const files = matrix.groups.flatMap(({ firmware }) => listOf(firmware).filter(isOpen));
  const known = new Map<string, FirmwareInterface | undefined>();
  for (const { code } of files) known.set(code, await interfaceOf(code));

  const filled = (firmware: ReturnType<typeof listOf>[number]) => {
    const seen = isOpen(firmware) ? known.get(firmware.code) : undefined;
    return isOpen(firmware) && seen ? { ...firmware, interface: seen } : firmware;
  };
  const fill = <C extends { firmware?: Firmware }>(condition: C): C =>
    condition.firmware === undefined ? condition : { ...condition, firmware: listOf(condition.firmware).map(filled) };
  // Rules name a firmware in the same way as the group.
  const fillRules = <R extends { when: CellCondition }>(rules: R[] = []): R[] =>
    rules.map((rule) => ({ ...rule, when: fill(rule.when) }));
  const groups = matrix.groups.map((group) => {
    if (!hasUnknownFirmware(group)) return group;
    const { expectations, exclude } = group;
    return { ...fill(group), expectations: fillRules(expectations), exclude: fillRules(exclude) };
  });
  return { ...matrix, groups };
}
