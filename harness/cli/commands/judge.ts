import { verdictOver } from '../../judge/attempts.ts';
import { judge } from '../../judge/judge.ts';
import type { HarnessEvent } from '../../model/events.ts';
import { findingTexts, type Status, type Verdict } from '../../model/verdict.ts';
import {
  attemptDirectoriesOf,
  caseDirectoriesOf,
  readCaseResult,
  readEvents,
  readPlan,
} from '../../run/records/run-directory.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfCases } from '../exit-code.ts';
import { writeJson, writeLines } from '../io.ts';
import { withRecord } from '../record.ts';

interface JudgedAttempt {
  id: string;
  directory: string;
  verdict: Verdict;
}

interface JudgedCase extends Verdict {
  id: string;
  directory: string;
  attempts: { directory: string; status: Status }[];
  /** What the run recorded; null where it recorded no result. */
  recorded: Status | null;
}

const caseIdIn = (events: readonly HarnessEvent[]): string | undefined =>
  events.flatMap((event) => (event.source === 'run' && event.type === 'started' ? [event.caseId] : [])).at(0);

function judgeAttempt(directory: string): JudgedAttempt {
  const plan = readPlan(directory);
  const events = readEvents(directory);
  return { id: caseIdIn(events) ?? plan.scenario.id, directory, verdict: judge(plan, events) };
}

function judgeCase(directory: string): JudgedCase {
  const [first, second] = attemptDirectoriesOf(directory).map(judgeAttempt) as [JudgedAttempt, JudgedAttempt?];
  const attempts = second === undefined ? [first] : [first, second];
  return {
    id: first.id,
    directory,
    ...verdictOver(first.verdict, second?.verdict),
    attempts: attempts.map((one) => ({ directory: one.directory, status: one.verdict.status })),
    recorded: readCaseResult(directory)?.verdict.status ?? null,
  };
}

function lines(judged: JudgedCase): string[] {
  const { id, status, lastStage, diagnosis, boots = [], attempts, recorded } = judged;
  return [
    `${status.padEnd(11)} ${id}  (last stage ${lastStage ?? 'none'})`,
    ...(diagnosis === null ? [] : [`    ${diagnosis}`]),
    ...boots.map((boot) => `    ${boot.status.padEnd(9)} ${boot.name}  (last stage ${boot.lastStage ?? 'none'})`),
    ...findingTexts(judged).map((finding) => `    also: ${finding}`),
    ...(attempts.length > 1 ? [`    attempts: ${attempts.map((one) => one.status).join(', then ')}`] : []),
    ...(recorded === null || recorded === status ? [] : [`    recorded as ${recorded} by the run`]),
  ];
}

export const judgeCommand: AddCommand = (program, io, end) => {
  program
    .command('judge')
    .description('Judge saved event logs again, offline: a case, or all cases of a run.')
    .argument('<dir>', "a run's directory, one case's, or a bundle of either")
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  netboot judge results\n  netboot judge results/cases/CASE --json\n  netboot judge bundle.zip',
    )
    .action(async (path: string, options: { json?: boolean }) => {
      const judged = await withRecord(path, ({ directory }) => caseDirectoriesOf(directory).map(judgeCase));
      if (options.json) writeJson(io.stdout, judged);
      else writeLines(io.stdout, judged.flatMap(lines));
      end(exitCodeOfCases(judged));
    });
};
