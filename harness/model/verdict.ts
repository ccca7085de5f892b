import { z } from 'zod';
import { accels, configurationSchema } from './axes.ts';
import { caseDirectorySchema, caseIdSchema } from './case-id.ts';
import { inputSchema } from './plan.ts';
import { scenarioSchema } from './scenario.ts';
import { stageSchema } from './stages.ts';

/** `waiting`: not run, for want of what only a set of the user's has, as the scenario's `waitsFor` says. */
export const statuses = ['passed', 'failed', 'flaky', 'error', 'not-run', 'waiting', 'interrupted'] as const;
export type Status = (typeof statuses)[number];

const stageResultSchema = z.strictObject({
  stage: stageSchema,
  reached: z.boolean(),
  atMs: z.number().nullable(),
  /** Which rule, from which source, and the words or facts it rests on. */
  evidence: z.string().nullable(),
});
export type StageResult = z.infer<typeof stageResultSchema>;

/** `rule` is one of `failureRules`, of the version that wrote the record. */
const failureSchema = z.strictObject({ rule: z.string(), atMs: z.number(), text: z.string() });
export type Failure = z.infer<typeof failureSchema>;

/** What the guest did, recomputable from plan and events. */
const verdictSchema = z.strictObject({
  status: z.enum(statuses),
  stages: z.array(stageResultSchema),
  lastStage: stageSchema.nullable(),
  /** First stage of the path not reached; null when the path was completed. */
  stoppedAt: stageSchema.nullable(),
  failure: failureSchema.nullable(),
  observedConfiguration: configurationSchema.nullable(),
  /** Configuration 1, with iPXE's ROM where a vendor's would be. */
  standIn: z.literal(true).optional(),
  /** One sentence: what stage, what was seen last, what that usually means. */
  diagnosis: z.string().nullable(),
  /** Oddities, which do not decide by themselves: evidence out of order, configuration not as predicted. */
  findings: z.array(z.string()),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** One guest of a case: its records, and what became of it. */
const attemptRecordSchema = z.strictObject({
  /** Relative to the run's directory. */
  directory: caseDirectorySchema,
  status: z.enum(statuses),
});

/** What running a case took, and what it was run with. */
const caseRunSchema = z.strictObject({
  /** The case's directory, relative to the run's; null where no guest was started. */
  directory: caseDirectorySchema.nullable(),
  attempts: z.array(attemptRecordSchema),
  durationMs: z.number(),
  guestCpuMs: z.number(),
  accel: z.enum(accels).nullable(),
  inputs: z.array(inputSchema),
  predictedConfiguration: configurationSchema.nullable(),
  /** The earlier run whose records stand for a boot, all that it rests on being the same. */
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

export const runResultSchema = z.strictObject({
  version: z.literal(1),
  matrix: z.string(),
  startedAt: z.string(),
  host: z.strictObject({
    /** Those that affinity and control groups leave: a fraction where a quota says so. */
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
  /** Packages of artefact sets that moved since they were recorded, and other remarks about the run as a whole. */
  notes: z.array(z.string()),
});
export type RunResult = z.infer<typeof runResultSchema>;
