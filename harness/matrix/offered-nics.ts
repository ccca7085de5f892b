import { type Arch, archs } from '../model/axes.ts';
import type { Group, Matrix } from './matrix.ts';

/** As a `nic`: every NIC that this QEMU offers for the group's architectures. */
const offered = 'offered';

const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Until QEMU has been queried, it is unknown which rules of such a group match. */
export const asksFor = ({ nic }: Group): boolean => listOf(nic).includes(offered);

export const asksForOffered = ({ groups }: Matrix): boolean => groups.some(asksFor);

/** Rules about NICs that this QEMU does not offer are dropped; the others keep the NICs it has. */
function rulesFor<R extends { when: { nic?: Group['nic'] | undefined } }>(
  rules: readonly R[],
  nics: readonly string[],
): R[] {
  return rules.flatMap((rule) => {
    if (rule.when.nic === undefined) return [rule];
    const nic = listOf(rule.when.nic).filter((name) => nics.includes(name));
    return nic.length > 0 ? [{ ...rule, when: { ...rule.when, nic } }] : [];
  });
}

/**
 * Replaces `offered` with the NICs that QEMU lists, so that a newer QEMU's appear automatically. A group for which there
 * are none (no QEMU to query) is left out.
 */
export function withOfferedNics(matrix: Matrix, nicsOf: Readonly<Record<Arch, readonly string[]>>): Matrix {
  const groups = matrix.groups.flatMap((group): Group[] => {
    if (!asksFor(group)) return [group];
    const found = archs.filter((arch) => listOf(group.arch).includes(arch)).flatMap((arch) => nicsOf[arch]);
    const nic = [...new Set([...listOf(group.nic).filter((name) => name !== offered), ...found])];
    if (nic.length === 0) return [];
    const { expectations = [], exclude = [], ...rest } = group;
    return [{ ...rest, nic, expectations: rulesFor(expectations, nic), exclude: rulesFor(exclude, nic) }];
  });
  return { ...matrix, groups };
}
