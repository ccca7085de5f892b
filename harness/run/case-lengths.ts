import { z } from 'zod';
import { interfaceOfFirmware } from '../model/firmware-interface.ts';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult } from '../model/verdict.ts';
import { openJsonCache } from '../os/json-cache.ts';

/** How long cases take, ms: as last time, or a guess for new ones. Only the order matters. */
export interface CaseLengths {
  of(scenario: Scenario): number;
  learn(results: readonly CaseResult[]): Promise<void>;
}

function guess({ firmware, payload, secondStage }: Scenario): number {
  const ending = { script: 0, probe: 0, iscsi: 4_000, linux: 8_000, installer: 30_000 }[payload];
  return (interfaceOfFirmware(firmware) === 'bios' ? 3_000 : 8_000) + ending + (secondStage === 'none' ? 0 : 3_000);
}

/** Lengths are kept in `file` across runs. */
export function openCaseLengths(file: string | undefined): CaseLengths {
  const lengths = openJsonCache({ file, version: 1, schema: z.number() });
  return {
    of: (scenario) => lengths.get(scenario.id) ?? guess(scenario),
    async learn(results) {
      for (const { id, verdict, run } of results) {
        if (verdict.status === 'passed' && run.attempts.length > 0) lengths.set(id, run.durationMs);
      }
      await lengths.save();
    },
  };
}
