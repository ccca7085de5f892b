import { HarnessError } from '../model/errors.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { transportsOf } from '../model/transports.ts';
import { resolveFirmware } from './firmware.ts';
import { checkNamedFiles } from './named-files.ts';
import { resolveOptionRom } from './option-rom.ts';
import { resolveDisk, resolvePayload, resolveSan } from './payload.ts';
import { resolveProvisioner } from './provisioner.ts';
import { resolveQemu } from './qemu.ts';
import { type ArtefactSources, NotHere, startResolving } from './resolving.ts';
import { resolveSecondStage, resolveServed } from './second-stage.ts';
import { createSigner } from './signer.ts';

/** Errors that concern more than this cell: the user's matrix, the disk, an interruption. */
const ofEveryCell: readonly string[] = ['bad-matrix', 'bad-set', 'disk', 'interrupted'];

/** Why this cell cannot be run; undefined if the error is not the cell's. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof NotHere) return error.message;
  return error instanceof HarnessError && !ofEveryCell.includes(error.code) ? error.message : undefined;
}

/**
 * Finds every file a scenario needs, or gives the reason why one is missing or unusable.
 * @throws HarnessError `bad-matrix` where a file that the scenario names does not exist, `bad-set` for a broken manifest,
 * `disk` where generated files cannot be written.
 */
export async function resolveScenario(
  scenario: Scenario,
  sources: ArtefactSources,
): Promise<Resolved | { missing: string }> {
  await checkNamedFiles(scenario);
  const resolving = startResolving(scenario, sources);
  try {
    const qemu = await resolveQemu(resolving);
    const firmware = await resolveFirmware(resolving);
    const oprom = await resolveOptionRom(resolving, firmware);
    const signed = createSigner(resolving, firmware);
    const payload = await resolvePayload(resolving, signed);
    const parts = { runBy: firmware.interface, signed, payload };
    const secondStage = await resolveSecondStage(resolving, parts);
    const served = await resolveServed(resolving, parts);
    const san = await resolveSan(resolving);
    const disk = await resolveDisk(resolving);
    const provisioner = await resolveProvisioner(resolving);
    const loader = typeof scenario.secondStage === 'object' ? 'custom' : scenario.secondStage;
    const decided = { loader, transports: transportsOf(scenario.transport) } as const;
    const { inputs } = resolving;
    return { qemu, firmware, oprom, ...decided, ...secondStage, served, ...payload, san, disk, provisioner, inputs };
  } catch (error) {
    const missing = reasonOf(error);
    if (missing !== undefined) return { missing };
    throw error;
  }
}
