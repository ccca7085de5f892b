import { z } from 'zod';
import { accels } from '../model/axes.ts';
import { caseIdSchema } from '../model/case-id.ts';
import { stageSchema } from '../model/stages.ts';
import { carriedSchema } from './carried.ts';
import { needSchema, offerSchema, sha256Schema } from './need.ts';

export const runIdSchema = z.string().regex(/^[0-9a-f]{16}$/);
const contentSchema = z.strictObject({ sha256: sha256Schema, bytes: z.int().nonnegative() });

/** A run whose cells wait for workers; gone soon after its submitter is. */
export const farmRunSchema = z.strictObject({
  run: runIdSchema,
  /** For people: machine and process. */
  submitter: z.string().max(300),
  matrix: z.string().max(1000),
  startedAt: z.string().max(100),
  priority: z.int().min(-1000).max(1000),
  needs: z.array(needSchema).max(10_000),
});
export type FarmRun = z.infer<typeof farmRunSchema>;

/** Characters. */
export const longestUnfit = 500;

/** A worker that is there, and what it is doing. */
export const presenceSchema = z.strictObject({
  offer: offerSchema,
  draining: z.boolean(),
  /** Why it takes no cell for now, although it has not been asked to drain. */
  unfit: z.string().max(longestUnfit).optional(),
  running: z.array(z.strictObject({ run: runIdSchema, id: caseIdSchema, sinceMs: z.number() })).max(10_000),
});
export type Presence = z.infer<typeof presenceSchema>;

/** One case to run. */
export const cellSchema = z.strictObject({
  run: runIdSchema,
  id: caseIdSchema,
  round: z.int().positive(),
  accel: needSchema.shape.accel,
  carried: carriedSchema,
  /** Other cells of the run start as it does: its worker may make a template for them, or start it from one. */
  sharesStart: z.boolean(),
  files: z.array(contentSchema).max(1000),
  /** Ms since 1970; older ones are not run: a message may be sent again by someone who copied it. */
  notAfter: z.number(),
});
export type Cell = z.infer<typeof cellSchema>;

/** Characters of the reason why a cell has no records. */
export const longestReason = 10_000;

/** What became of a cell. */
export const cellResultSchema = z.strictObject({
  run: runIdSchema,
  id: caseIdSchema,
  worker: offerSchema.shape.worker,
  outcome: z.union([
    z.strictObject({
      /** A bundle of its records. */
      bundle: contentSchema,
      accel: z.enum(accels),
      durationMs: z.number().nonnegative(),
      guestCpuMs: z.number().nonnegative(),
      savedCpuMs: z.number().nonnegative().optional(),
      /** Where its files were on the worker, in the order of `pathsOf`. */
      paths: z.array(z.string().max(4096)).max(10_000),
    }),
    z.strictObject({ status: z.enum(['error', 'not-run']), reason: z.string().max(longestReason) }),
  ]),
});
export type CellResult = z.infer<typeof cellResultSchema>;

/** How far a cell is; only shown. */
export const progressSchema = z.union([
  z.strictObject({ id: caseIdSchema, attempt: z.int().positive() }),
  z.strictObject({ id: caseIdSchema, stage: stageSchema, atMs: z.number() }),
]);
export type Progress = z.infer<typeof progressSchema>;
