import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Rule } from './evidence.ts';
import { type FailureRow, failureRows } from './serial-failures.ts';
import { type StageRow, stageRows } from './serial-stages.ts';
import { tokenRules } from './token-rules.ts';
import { deliveryRules } from './wire-rules.ts';

type SerialLine = Extract<HarnessEvent, { source: 'serial' }>;

/** EDK II started its IPv6 boot option; either line may be garbled by a longer one that it overwrites. */
export const saysIpv6 = ({ text }: SerialLine): boolean => />>Start .* over IPv6|Station IPv6 address/.test(text);

const maxTextLength = 300;

/** Strips the boxes that menus and messages draw, in any character set. */
const withoutFrame = (text: string): string => text.replace(/^[\s|│³]+|[\s|│³]+$/g, '').slice(0, maxTextLength);

/**
 * The text in which a pattern was found: the line or, if the row above is filled to its last column, both joined, since
 * SeaBIOS breaks text that reaches that column.
 */
function textWith(pattern: RegExp, { text, above }: SerialLine): string | undefined {
  if (pattern.test(text)) return text;
  if (above === undefined) return undefined;
  const joined = above + text;
  const found = pattern.exec(joined);
  return found && found.index + found[0].length > above.length && !pattern.test(above) ? joined : undefined;
}

const stageRule = ({ name, stage, pattern, when, proves }: StageRow): Rule<SerialLine> => ({
  name,
  proves,
  match(event, plan, observed) {
    if (observed.stages.has(stage)) return undefined;
    const text = textWith(pattern, event);
    if (text === undefined || when?.(plan, observed) === false) return undefined;
    return { stage, text: withoutFrame(text) };
  },
});

/** Whether a failure ends the case, if its text is whole. */
const ends = (means: FailureRow['means'], { stagePath }: Plan): boolean =>
  means === 'end' || (means === 'end-of-network' && !stagePath.includes('disk'));

const failureRule = ({ rule, means, pattern, prompt, when, proves }: FailureRow): Rule<SerialLine> => ({
  name: rule,
  proves,
  match(event, plan, observed) {
    const text = textWith(pattern, event);
    if (text === undefined || !when(plan, observed)) return undefined;
    // The rest of the line may tell which failure it is.
    const isWhole = event.open !== true || prompt === true;
    return { failure: rule, text: withoutFrame(text), ends: ends(means, plan) && isWhole };
  },
});

export const serialRules: readonly Rule<SerialLine>[] = [
  ...deliveryRules,
  ...tokenRules,
  ...stageRows.map(stageRule),
  ...failureRows.map(failureRule),
];
