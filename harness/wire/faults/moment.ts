import type { Moment } from '../../model/fault-choice.ts';
import type { Stage } from '../../model/stages.ts';

/** How far a case has come. */
export interface Progress {
  now(): number;
  hasReached(stage: Stage): boolean;
}

export const hasCome = (moment: Moment, { now, hasReached }: Progress): boolean =>
  'ms' in moment ? now() >= moment.ms : hasReached(moment.stage);
