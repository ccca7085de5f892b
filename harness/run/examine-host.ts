import type { Arch } from '../model/axes.ts';
import { HarnessError } from '../model/errors.ts';
import { type Capacity, openCapacity } from '../os/capacity.ts';
import { qemuProgramOf } from '../plan/plan.ts';
import { describeHost, type HostFacts, probeQemu, type QemuFacts } from '../vm/host.ts';

export interface ProgramReport {
  program: string;
  facts?: QemuFacts;
  /** Why there are no facts. */
  problem?: string;
}

/** What this host has for running guests of these architectures; a missing program is a report, not an error. */
export async function examineHost(
  archs: readonly Arch[],
  capacity: Capacity = openCapacity(),
): Promise<{ host: HostFacts; programs: ProgramReport[] }> {
  const programs = archs.map(async (arch): Promise<ProgramReport> => {
    const program = qemuProgramOf(arch);
    try {
      return { program, facts: await probeQemu(program) };
    } catch (error) {
      if (error instanceof HarnessError) return { program, problem: error.message };
      throw error;
    }
  });
  return { host: describeHost(capacity), programs: await Promise.all(programs) };
}
