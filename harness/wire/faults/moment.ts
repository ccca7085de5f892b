import type { Moment } from '../../model/fault-choice.ts';
import type { Stage } from '../../model/stages.ts';

/** How far a case has come. */
export interface Progress {
  now(): number;
  hasReached(stage: Stage): boolean;
}

export const hasCome = (moment: Moment, { now, hasReached }: Progress): boolean =>
  'ms' in moment ? now() >= moment.ms : hasReached(moment.stage);

/** From the moment that it names, if it does, until the other one. */
export const isInForce = (
  { from, until }: { from?: Moment | undefined; until?: Moment | undefined },
  progress: Progress,
) => (from === undefined || hasCome(from, progress)) && !(until && hasCome(until, progress));
