import type { Arch, FirmwareInterface } from '../model/axes.ts';
import { type Expansion, expandMatrix } from './expand-matrix.ts';
import { withFirmwareInterfaces } from './firmware-files.ts';
import type { Matrix } from './matrix.ts';
import { asksForOffered, withOfferedNics } from './offered-nics.ts';

/** What expansion asks of the host, where the matrix leaves it open. */
export interface HostAnswers {
  /** The NICs of each architecture's QEMU. */
  nicsByArch(): Promise<Readonly<Record<Arch, readonly string[]>>>;
  /** Whether a firmware file is BIOS or UEFI; undefined where that cannot be seen. */
  interfaceOf(code: string): Promise<FirmwareInterface | undefined>;
}

/** `expandMatrix`, after the host has filled in what the matrix leaves to it. */
export async function expandOnHost(
  wanted: Matrix,
  { source, sets }: { source: string; sets: readonly string[] },
  host: HostAnswers,
): Promise<Expansion & { matrix: Matrix }> {
  const offered = asksForOffered(wanted) ? withOfferedNics(wanted, await host.nicsByArch()) : wanted;
  const matrix = await withFirmwareInterfaces(offered, host.interfaceOf);
  return { matrix, ...expandMatrix(matrix, source, sets.length > 0 ? sets : undefined) };
}
