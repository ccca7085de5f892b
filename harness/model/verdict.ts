import { z } from 'zod';
import { accels, configurationSchema } from './axes.ts';
import { caseDirectorySchema, caseIdSchema } from './case-id.ts';
import { inputSchema } from './plan.ts';
import { scenarioSchema } from './scenario.ts';
import { serverFindingSchema, serverFindingText } from './server-findings.ts';
import { stageSchema } from './stages.ts';

/** `waiting`: not run for lack of what only a user's own set has, as the scenario's `waitsFor` says. */
export const statuses = ['passed', 'failed', 'flaky', 'error', 'not-run', 'waiting', 'interrupted'] as const;
export type Status = (typeof statuses)[number];

const stageResultSchema = z.strictObject({
  stage: stageSchema,
  reached: z.boolean(),
  atMs: z.number().nullable(),
  /** Which rule, from which source, and the text or facts it rests on. */
  evidence: z.string().nullable(),
});
export type StageResult = z.infer<typeof stageResultSchema>;

/** `rule` is one of `failureRules` in the version that wrote the record. */
const failureSchema = z.strictObject({ rule: z.string(), atMs: z.number(), text: z.string() });
export type Failure = z.infer<typeof failureSchema>;

/** One of several boots of a case. */
const bootVerdictSchema = z.strictObject({
  name: z.string(),
  status: z.enum(statuses),
  stages: z.array(stageResultSchema),
  lastStage: stageSchema.nullable(),
  stoppedAt: stageSchema.nullable(),
  failure: failureSchema.nullable(),
  diagnosis: z.string().nullable(),
});
export type BootVerdict = z.infer<typeof bootVerdictSchema>;

/** What the guest did; can be recomputed from plan and events. */
const verdictSchema = z.strictObject({
  status: z.enum(statuses),
  stages: z.array(stageResultSchema),
  lastStage: stageSchema.nullable(),
  /** First stage of the path not reached; null when the path was completed. */
  stoppedAt: stageSchema.nullable(),
  failure: failureSchema.nullable(),
  observedConfiguration: configurationSchema.nullable(),
  /** Configuration 1 with iPXE's ROM standing in for a vendor's. */
  standIn: z.literal(true).optional(),
  /** One sentence: which stage, what was seen last, what that usually means. */
  diagnosis: z.string().nullable(),
  /** Oddities that do not decide the verdict: evidence out of order, configuration not as predicted. */
  findings: z.array(z.string()),
  /** What a server of the user's did wrong; absent where there is nothing, or no such server. */
  serverFindings: z.array(serverFindingSchema).optional(),
  /** Each boot that was begun, if there are several; what is above is of the first that is not as expected, or the last. */
  boots: z.array(bootVerdictSchema).optional(),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** All findings of a verdict as reports print them, one line each. */
export const findingTexts = ({ findings, serverFindings = [] }: Verdict): string[] => [
  ...findings,
  ...serverFindings.map(serverFindingText),
];

/** One guest of a case: its records and its outcome. */
const attemptRecordSchema = z.strictObject({
  /** Relative to the run directory. */
  directory: caseDirectorySchema,
  status: z.enum(statuses),
});

/** What a case took to run, and what it was run with. */
const caseRunSchema = z.strictObject({
  /** The case's directory, relative to the run's; null where no guest was started. */
  directory: caseDirectorySchema.nullable(),
  attempts: z.array(attemptRecordSchema),
  durationMs: z.number(),
  guestCpuMs: z.number(),
  /** CPU time that a template saved its guest. */
  savedCpuMs: z.number().optional(),
  accel: z.enum(accels).nullable(),
  inputs: z.array(inputSchema),
  predictedConfiguration: configurationSchema.nullable(),
  /** The earlier run whose records replace a boot, all of its inputs being the same. */
  reusedFrom: z.string().optional(),
});

/** One case in results.json: a cell, or one of its repeats. */
export const caseResultSchema = z.strictObject({
  /** The scenario's id; a repeat's has its round added. */
  id: caseIdSchema,
  /** Which repeat of the cell, from 1. */
  round: z.int().positive(),
  scenario: scenarioSchema,
  /** Over all attempts. */
  verdict: verdictSchema,
  run: caseRunSchema,
});
export type CaseResult = z.infer<typeof caseResultSchema>;

/** Its records come from an earlier run: it cost this one nothing. */
export const isReused = ({ run }: CaseResult): boolean => run.reusedFrom !== undefined;

export const runResultSchema = z.strictObject({
  version: z.literal(1),
  matrix: z.string(),
  startedAt: z.string(),
  host: z.strictObject({
    /** CPUs left by affinity and control groups; fractional under a quota. */
    cores: z.number().positive(),
    memoryMiB: z.int(),
    platform: z.string(),
    node: z.string(),
    qemu: z.record(z.string(), z.string()),
  }),
  cases: z.array(caseResultSchema),
  totals: z.record(z.enum(statuses), z.int()),
  wallMs: z.number(),
  guestCpuMs: z.number(),
  harnessCpuMs: z.number(),
  /** Packages of artefact sets that changed since they were recorded, and other remarks about the run as a whole. */
  notes: z.array(z.string()),
});
export type RunResult = z.infer<typeof runResultSchema>;
