import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { Scenario } from '../model/scenario.ts';
import type { CaseResult } from '../model/verdict.ts';

const recordSchema = z.record(z.string(), z.number());

/** How long cases take, ms: what they took last time, and a guess for those never seen. Only the order matters. */
export interface CaseLengths {
  of(scenario: Scenario): number;
  learn(results: readonly CaseResult[]): void;
}

function guess({ firmware, payload, secondStage }: Scenario): number {
  const ending = { script: 0, probe: 0, iscsi: 4_000, linux: 8_000, installer: 30_000 }[payload];
  return (firmware === 'seabios' ? 3_000 : 8_000) + ending + (secondStage === 'none' ? 0 : 3_000);
}

function read(file: string | undefined): Record<string, number> {
  try {
    return file === undefined ? {} : recordSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Absent, torn or of another version: guesses do.
    return {};
  }
}

/** `file` keeps the lengths across runs; a failure to write it costs nothing but time. */
export function openCaseLengths(file: string | undefined): CaseLengths {
  const known = read(file);
  return {
    of: (scenario) => known[scenario.id] ?? guess(scenario),
    learn(results) {
      for (const { id, verdict, run } of results) {
        if (verdict.status === 'passed' && run.attempts.length > 0) known[id] = run.durationMs;
      }
      if (file === undefined) return;
      try {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, `${JSON.stringify(known)}\n`);
      } catch {
        // See above.
      }
    },
  };
}
