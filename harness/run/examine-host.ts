import { isMissing } from '../assets/sets/artefact-set.ts';
import { HarnessError } from '../model/errors.ts';
import { type Capacity, openCapacity } from '../os/capacity.ts';
import { type Impossible, isolationText } from '../services/provisioner/isolation.ts';
import { type AcceleratorAnswer, failureLastsMs, openAcceleratorAnswers } from '../vm/accelerator-answers.ts';
import { describeHost, type HostFacts, probeQemu, type QemuFacts, type QemuProgram } from '../vm/host.ts';
import type { RunHost } from './run-host.ts';

export interface ProgramReport {
  program: string;
  facts?: QemuFacts;
  /** Why there are no facts. */
  problem?: string;
}

/** What these QEMUs can do, and the host they would run on; a missing program is reported, not thrown. */
export async function examineHost(
  qemus: readonly QemuProgram[],
  capacity: Capacity = openCapacity(),
): Promise<{ host: HostFacts; programs: ProgramReport[] }> {
  const programs = qemus.map(async (qemu): Promise<ProgramReport> => {
    const { program } = qemu;
    try {
      return { program, facts: await probeQemu(qemu) };
    } catch (error) {
      if (error instanceof HarnessError) return { program, problem: error.message };
      throw error;
    }
  });
  return { host: describeHost(capacity), programs: await Promise.all(programs) };
}

/** Accelerators that failed with a firmware on this host, and when they will be tried again. */
export function acceleratorFailures(cacheFile: string | undefined): (AcceleratorAnswer & { untilMs: number })[] {
  const failures = openAcceleratorAnswers(cacheFile).failures();
  return failures.map((failure) => ({ ...failure, untilMs: failure.atMs + failureLastsMs }));
}

/** How this host runs a server of the user's on a network of its own, in words, or why it cannot. */
export async function offeredIsolation({
  sets,
  isolation: find,
}: Pick<RunHost, 'sets' | 'isolation'>): Promise<{ way: string } | Impossible> {
  const packetPrograms = await Promise.all(['socat', 'ethtool'].map((program) => sets.command(program)));
  const isolation = await find(!packetPrograms.some(isMissing));
  return 'impossible' in isolation ? isolation : { way: isolationText(isolation) };
}
