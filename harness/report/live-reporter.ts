import type { Reporter } from '../model/reporter.ts';
import type { Stage } from '../model/stages.ts';
import { roughDuration, seconds } from '../model/time-text.ts';
import type { Compare } from './comparison.ts';
import { type ConsoleOutput, caseLines, closingLines } from './console-output.ts';
import { clip } from './printable.ts';
import { type Invocation, openingLine } from './run-facts.ts';
import { createTimeLeft, type TimeLeft } from './time-left.ts';

interface Running {
  id: string;
  attempt: number;
  stage: Stage | undefined;
  startedMs: number;
}

export interface LiveOptions {
  output: ConsoleOutput;
  invocation: Invocation;
  /** Monotonic milliseconds. */
  now: () => number;
  /** Calls `draw` now and then; returns what stops it. */
  every: (draw: () => void) => () => void;
  compare?: Compare | undefined;
}

/** For terminals: finished cases scroll by above one line per running case and a progress count. */
export function liveReporter({ output, invocation, now, every, compare }: LiveOptions): Reporter {
  const { colour } = output;
  const running = new Map<string, Running>();
  let total = 0;
  let done = 0;
  let outDir = '';
  let timeLeft: TimeLeft | undefined;
  let drawnLines = 0;
  let stop = () => {};

  function frame(): string[] {
    // A terminal without a known size reports 0.
    const width = (output.columns || 80) - 1;
    const room = Math.max(1, (output.rows || 24) - 3);
    const cases = [...running.values()];
    const lines = cases.slice(0, room).map(({ id, stage, startedMs: since, attempt }) => {
      const facts = `${(stage ?? 'starting').padEnd(13)} ${seconds(now() - since).padStart(8)}${attempt > 1 ? ' again' : ''}`;
      return clip(`  ${facts}  ${id}`, width);
    });
    const hidden = cases.length > room ? `, ${cases.length - room} not shown` : '';
    const left = timeLeft?.leftMs(now());
    const progress = `${done}/${total} done, ${cases.length} running${hidden}${left === undefined ? '' : `, about ${roughDuration(left)} left`}`;
    return [...lines, clip(progress, width)];
  }

  /** Lines that stay, then the frame in place of the last one. */
  function redraw(above: readonly string[] = [], next: readonly string[] = frame()): void {
    const erase = drawnLines > 0 ? `\u001b[${drawnLines}A\u001b[J` : '';
    output.write(erase + [...above, ...next].map((line) => `${line}\n`).join(''));
    drawnLines = next.length;
  }

  return {
    onRunStart(run) {
      ({ total, outDir } = run);
      timeLeft = createTimeLeft(run);
      redraw([openingLine(run)]);
      stop = every(() => redraw());
    },
    onCaseStart({ id, attempt }) {
      timeLeft?.started(id, now());
      running.set(id, { id, attempt, stage: undefined, startedMs: now() });
    },
    onStage({ id, stage }) {
      const one = running.get(id);
      if (one) one.stage = stage;
    },
    onCaseEnd(result) {
      running.delete(result.id);
      timeLeft?.ended(result.id);
      done += 1;
      redraw(caseLines(result, { done, total, colour }));
    },
    onRunEnd(result) {
      stop();
      redraw(closingLines(result, { ...invocation, outDir }, colour, compare), []);
    },
  };
}
