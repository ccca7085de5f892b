import { z } from 'zod';
import { accels, archSchema, configurationSchema } from './axes.ts';
import { inputSchema } from './plan.ts';
import { expectationSchema } from './scenario.ts';
import { stageSchema } from './stages.ts';

export const statuses = ['passed', 'failed', 'flaky', 'error', 'not-run', 'interrupted'] as const;
export type Status = (typeof statuses)[number];

const stageResultSchema = z.strictObject({
  stage: stageSchema,
  reached: z.boolean(),
  atMs: z.number().nullable(),
  /** Which rule, from which source, and the words or facts it rests on. */
  evidence: z.string().nullable(),
});
export type StageResult = z.infer<typeof stageResultSchema>;

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
  /** One sentence: what stage, what was seen last, what that usually means. */
  diagnosis: z.string().nullable(),
  /** Oddities that do not decide: evidence out of order, configuration not as declared. */
  findings: z.array(z.string()),
});
export type Verdict = z.infer<typeof verdictSchema>;

/** One case in results.json. */
export const caseResultSchema = z.strictObject({
  id: z.string(),
  group: z.string(),
  title: z.string().nullable(),
  arch: archSchema,
  firmware: z.string(),
  set: z.string(),
  machine: z.string(),
  nic: z.string(),
  rom: z.string(),
  secondStage: z.string(),
  transport: z.string(),
  payload: z.string(),
  secureBoot: z.string(),
  ipVersion: z.int(),
  declaredConfiguration: configurationSchema.nullable(),
  predictedConfiguration: configurationSchema.nullable(),
  observedConfiguration: configurationSchema.nullable(),
  status: z.enum(statuses),
  expected: expectationSchema,
  lastStage: stageSchema.nullable(),
  stoppedAt: stageSchema.nullable(),
  failure: failureSchema.nullable(),
  stages: z.array(stageResultSchema),
  diagnosis: z.string().nullable(),
  findings: z.array(z.string()),
  attempts: z.int(),
  durationMs: z.number(),
  guestCpuMs: z.number(),
  accel: z.enum(accels).nullable(),
  inputs: z.array(inputSchema),
  /** The case's directory, relative to the run's. */
  directory: z.string().nullable(),
});
export type CaseResult = z.infer<typeof caseResultSchema>;

export const runResultSchema = z.strictObject({
  version: z.literal(1),
  matrix: z.string(),
  startedAt: z.string(),
  host: z.strictObject({
    cores: z.int(),
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
