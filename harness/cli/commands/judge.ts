import { judge } from '../../judge/judge.ts';
import type { Verdict } from '../../model/verdict.ts';
import { printable } from '../../report/printable.ts';
import { caseDirectoriesOf, readEvents, readPlan } from '../../run/run-directory.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfCases } from '../exit-code.ts';
import { writeJson, writeLines } from '../io.ts';

interface Judged extends Verdict {
  id: string;
  directory: string;
}

function judgeDirectory(directory: string): Judged {
  const plan = readPlan(directory);
  return { id: plan.scenario.id, directory, ...judge(plan, readEvents(directory)) };
}

function lines({ id, status, lastStage, diagnosis, findings }: Judged): string[] {
  const why = diagnosis === null ? [] : [`    ${printable(diagnosis)}`];
  return [
    `${status.padEnd(11)} ${id}  (last stage ${lastStage ?? 'none'})`,
    ...why,
    ...findings.map((finding) => `    also: ${printable(finding)}`),
  ];
}

export const judgeCommand: AddCommand = (program, io, end) => {
  program
    .command('judge')
    .description('Judge saved event logs again, offline: a case, or all cases of a run.')
    .argument('<dir>', "a run's directory, or one case's")
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  netboot judge results\n  netboot judge results/cases/CASE --json')
    .action((directory: string, options: { json?: boolean }) => {
      const judged = caseDirectoriesOf(directory).map(judgeDirectory);
      if (options.json) writeJson(io.stdout, judged);
      else writeLines(io.stdout, judged.flatMap(lines));
      end(exitCodeOfCases(judged));
    });
};
