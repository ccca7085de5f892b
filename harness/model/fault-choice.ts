import { z } from 'zod';
import { stageSchema, stages } from './stages.ts';

/** Which of the frames or requests that match: by probability, or by their number, from 1. */
export const choiceSchema = z.union([
  z.number().gt(0).max(1),
  z.strictObject({ first: z.int().positive() }),
  z.strictObject({ nth: z.int().positive() }),
  z.strictObject({ every: z.int().positive() }),
  /** All after this many. */
  z.strictObject({ after: z.int().nonnegative() }),
]);
export type Choice = z.infer<typeof choiceSchema>;

/** Once a stage is reached, or this long after the start of the case. */
const momentSchema = z.union([
  z.strictObject({ stage: stageSchema }),
  z.strictObject({ ms: z.number().nonnegative() }),
]);
export type Moment = z.infer<typeof momentSchema>;

/** When a fault is in force, and the seed of its random choices. The same seed chooses the same. */
export const faultSpan = {
  from: momentSchema.optional(),
  until: momentSchema.optional(),
  seed: z.int().nonnegative().default(1),
};

/** Whether a fault ends no later than it begins, as far as that can be told: of two times, or of two stages. */
export function isNeverInForce({ from, until }: { from?: Moment | undefined; until?: Moment | undefined }): boolean {
  if (from === undefined || until === undefined) return false;
  if ('ms' in from && 'ms' in until) return from.ms >= until.ms;
  return 'stage' in from && 'stage' in until && stages.indexOf(from.stage) >= stages.indexOf(until.stage);
}

/** What is wrong with the `until` of such a fault. */
export const neverInForce = 'expected later than from: the fault is never in force';
