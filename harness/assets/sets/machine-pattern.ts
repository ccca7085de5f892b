import { globMatches } from '../../model/glob.ts';

/** QEMU's unversioned machine aliases, in the words of firmware descriptors. */
const aliases: Readonly<Record<string, string>> = { pc: 'pc-i440fx-0', q35: 'pc-q35-0', virt: 'virt-0' };

/** Whether a machine type, or its alias, fits one of a descriptor's `*` patterns. */
export function machineFits(machine: string, patterns: readonly string[] | undefined): boolean {
  if (patterns === undefined) return true;
  const type = machine.split(',')[0] ?? machine;
  const names = [type, aliases[type] ?? type];
  return patterns.some((pattern) => names.some((name) => globMatches(pattern, name)));
}
