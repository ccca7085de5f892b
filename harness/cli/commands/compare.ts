import { Option } from 'commander';
import {
  type Comparison,
  changeClasses,
  changeMeanings,
  comparePairs,
  compareRunFacts,
} from '../../compare/compare.ts';
import { joinAxis, joinRuns } from '../../compare/join.ts';
import { axisText } from '../../model/axis-text.ts';
import { HarnessError } from '../../model/errors.ts';
import { type Axis, axisShape } from '../../model/scenario.ts';
import { comparisonLines, comparisonMarkdown } from '../../report/comparison.ts';
import { appendStepSummary } from '../../report/report-files.ts';
import { readResults } from '../../run/records/read-results.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfComparisons, type FailOn, failOnOption } from '../comparisons.ts';
import { writeJson, writeLines } from '../io.ts';
import { withRecord } from '../record.ts';

interface CompareOptions extends FailOn {
  axis?: { axis: Axis; values: [string, string] };
  json?: boolean;
  markdown?: boolean;
}

const axes = Object.keys(axisShape) as Axis[];

function parseAxis(text: string): CompareOptions['axis'] {
  const [, axis = '', from = '', to = ''] = /^(\w+)=(.+?)\.\.(.+)$/.exec(text) ?? [];
  if ((axes as string[]).includes(axis) && from && to) return { axis: axis as Axis, values: [from, to] };
  throw new HarnessError('usage', `--axis: expected AXIS=VALUE..VALUE, such as set=bookworm..forky, saw "${text}"`, {
    hint: `Axes are ${axes.join(', ')}.`,
  });
}

function compareNamed(before: string, after: string | undefined, axis: CompareOptions['axis']): Comparison {
  if ((after === undefined) === (axis === undefined)) {
    throw new HarnessError('usage', 'expected two runs, or one run and --axis', {
      hint: 'Give `netboot compare OLD NEW`, or `netboot compare RUN --axis set=bookworm..forky`.',
    });
  }
  const old = readResults(before);
  if (axis !== undefined) {
    const pairs = joinAxis(old, axis.axis, axis.values, axisText);
    if (pairs.length > 0) return comparePairs(pairs);
    throw new HarnessError(
      'usage',
      `${before}: no two cells differ only in ${axis.axis}, ${axis.values.join(' and ')}`,
      {
        hint: `Values of ${axis.axis} in this run: ${[...new Set(old.cases.map(({ scenario }) => axisText(scenario, axis.axis)))].join(', ')}.`,
      },
    );
  }
  const now = readResults(after as string);
  const comparison = comparePairs(joinRuns(old, now));
  if (comparison.joined > 0) return { ...comparison, notes: [...compareRunFacts(old, now), ...comparison.notes] };
  throw new HarnessError(
    'usage',
    `${before} and ${after} have no cell in common: matrix "${old.matrix}" and "${now.matrix}"`,
    {
      hint: 'Compare runs of the same matrix; cells of one run that differ in one axis are compared with --axis.',
    },
  );
}

const classHelp = changeClasses.map((name) => `  ${name.padEnd(16)}${changeMeanings[name]}`).join('\n');

export const compareCommand: AddCommand = (program, io, end) => {
  program
    .command('compare')
    .description(
      'Say what changed between two runs: which cells no longer boot, which do now, and what they have in common.',
    )
    .argument('<old>', 'a run directory, its results.json, a bundle, or a folder of shards')
    .argument('[new]', 'the same, of the run to compare with it')
    .addOption(
      new Option('--axis <axis=a..b>', 'compare cells of one run that differ only in this axis').argParser(parseAxis),
    )
    .addOption(failOnOption())
    .option('--json', 'as JSON')
    .option('--markdown', 'as Markdown')
    .addHelpText(
      'after',
      `\nClasses of changes:\n${classHelp}\n\nExamples:\n  netboot compare results-old results-new\n  netboot compare results --axis set=bookworm..forky\n  netboot compare old new --markdown --fail-on no-longer-boots\n  netboot compare before.zip after.zip`,
    )
    .action(async (before: string, after: string | undefined, options: CompareOptions) => {
      const comparison = await withRecord(before, (old) =>
        after === undefined
          ? compareNamed(old.directory, after, options.axis)
          : withRecord(after, (now) => compareNamed(old.directory, now.directory, options.axis)),
      );
      if (options.json) writeJson(io.stdout, comparison);
      else if (options.markdown) io.stdout.write(`${comparisonMarkdown(comparison)}\n`);
      else writeLines(io.stdout, comparisonLines(comparison));
      await appendStepSummary(() => comparisonMarkdown(comparison), io.env);
      end(exitCodeOfComparisons([comparison], options));
    });
};
