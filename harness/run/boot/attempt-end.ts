import type { HarnessEvent } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import type { Stage } from '../../model/stages.ts';
import type { Evidence } from '../../observe/evidence.ts';
import { createObserver } from '../../observe/observer.ts';

export type EndReason = Extract<HarnessEvent, { source: 'run'; type: 'ended' }>['reason'];

/** Watches the events of an attempt for its end. */
export interface EndWatch extends Disposable {
  observe(event: HarnessEvent): void;
  end(reason: EndReason): void;
  /** Resolves with the first reason. */
  readonly ended: Promise<EndReason>;
}

/** After the last stage: evidence of earlier ones may still be on its way through the console. */
const graceMs = 1_000;

/** The end that an event means, if nothing can follow it. */
function endReasonOf({ source, type }: HarnessEvent): EndReason {
  if (source === 'qmp' || source === 'vm') return 'guest-ended';
  return type === 'deadline' || type === 'silent' ? type : 'failure';
}

export function watchForEnd(plan: Plan, onStage: (stage: Stage, atMs: number) => void): EndWatch {
  const observer = createObserver(plan);
  let grace: NodeJS.Timeout | undefined;
  let end: (reason: EndReason) => void = () => {};
  const ended = new Promise<EndReason>((resolve) => {
    end = resolve;
  });

  function follow(evidence: Evidence, event: HarnessEvent): void {
    if (evidence.kind === 'stage') {
      onStage(evidence.stage, evidence.atMs);
      if (evidence.stage === plan.stagePath.at(-1)) grace ??= setTimeout(() => end('complete'), graceMs);
    } else if (evidence.ends) end(endReasonOf(event));
  }

  return {
    ended,
    end,
    observe(event) {
      if (event.source === 'run' && event.type === 'infrastructure') end('infrastructure');
      if (event.source === 'qmp' && event.type === 'status' && event.status === 'internal-error') end('guest-ended');
      for (const evidence of observer.observe(event)) follow(evidence, event);
      if (observer.complete) end('complete');
    },
    [Symbol.dispose]: () => clearTimeout(grace),
  };
}
