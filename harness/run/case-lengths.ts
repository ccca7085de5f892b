import { z } from 'zod';
import { interfaceOfFirmware } from '../model/firmware-interface.ts';
import type { ExpectedLength } from '../model/reporter.ts';
import type { Scenario } from '../model/scenario.ts';
import { beforeFetch } from '../model/stages.ts';
import type { CaseResult } from '../model/verdict.ts';
import { openJsonCache } from '../os/json-cache.ts';

const lengthSchema = z.strictObject({ durationMs: z.number(), guestCpuMs: z.number() });

/** Lengths measured once, by the ids of cells; seconds of wall time and of guest CPU time. */
export type RecordedLengths = Readonly<Record<string, readonly [durationS: number, guestCpuS: number]>>;

/** By kind, as the default matrix took on average; two thirds of it are waiting. */
function guess({ firmware, payload, secondStage, expect }: Scenario): ExpectedLength {
  const isBios = interfaceOfFirmware(firmware) === 'bios';
  const ending = { script: 0, probe: 0, iscsi: 3_000, disk: 15_000, linux: 16_000, installer: 40_000 }[payload];
  const whole = (isBios ? 3_000 : 6_000) + (secondStage === 'none' ? 0 : 3_500) + ending;
  const stopped = isBios ? 300 : 5_000;
  const durationMs = 'stopsAt' in expect && beforeFetch.includes(expect.stopsAt) ? stopped : whole;
  return { durationMs, guestCpuMs: durationMs / 3 };
}

/** The same on every machine: as recorded, or guessed. */
export function usualLength(scenario: Scenario, recorded: RecordedLengths = {}): ExpectedLength {
  const known = Object.hasOwn(recorded, scenario.id) ? recorded[scenario.id] : undefined;
  return known === undefined ? guess(scenario) : { durationMs: known[0] * 1000, guestCpuMs: known[1] * 1000 };
}

/** Lengths of cases on this machine. */
export interface CaseLengths {
  of(scenario: Scenario): ExpectedLength;
  learn(results: readonly CaseResult[]): Promise<void>;
}

export interface CaseLengthsOptions {
  /** Keeps them across runs. */
  file: string | undefined;
  /** For cases that never ran here. */
  recorded?: RecordedLengths | undefined;
}

export function openCaseLengths({ file, recorded }: CaseLengthsOptions): CaseLengths {
  const lengths = openJsonCache({ file, version: 2, schema: lengthSchema });
  return {
    of: (scenario) => lengths.get(scenario.id) ?? usualLength(scenario, recorded),
    async learn(results) {
      for (const { scenario, verdict, run } of results) {
        const { durationMs, guestCpuMs, attempts, reusedFrom } = run;
        if (verdict.status !== 'passed' || attempts.length === 0 || reusedFrom !== undefined) continue;
        lengths.set(scenario.id, { durationMs, guestCpuMs });
      }
      await lengths.save();
    },
  };
}
