import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison } from '../compare/compare.ts';
import type { Reporter } from '../model/reporter.ts';
import type { RunResult } from '../model/verdict.ts';
import { writeWhole } from '../os/write-whole.ts';
import type { Compare } from './comparison.ts';
import { configurationsMarkdown } from './configurations.ts';
import { junitXml } from './junit.ts';
import { summaryMarkdown } from './summary.ts';

/** The files of a run's directory, each a view of the same result. */
const reportFiles = {
  'results.json': (result: RunResult) => `${JSON.stringify(result, null, 2)}\n`,
  'junit.xml': junitXml,
  'summary.md': summaryMarkdown,
  'configurations.md': configurationsMarkdown,
} satisfies Record<string, (result: RunResult, outDir: string, comparison?: Comparison) => string>;

/** GitHub drops a step summary of more than 1 MiB. */
const stepSummaryMaxBytes = 1_000_000;

async function writeReports(result: RunResult, outDir: string, comparison?: Comparison): Promise<void> {
  for (const [name, view] of Object.entries(reportFiles)) {
    await writeWhole(join(outDir, name), view(result, outDir, comparison));
  }
}

async function appendStepSummary(whole: string, file: string): Promise<void> {
  const octets = Buffer.from(whole);
  const cut = `${octets.subarray(0, stepSummaryMaxBytes).toString('utf8')}\n\n… cut; the whole is in summary.md\n`;
  await appendFile(file, octets.length > stepSummaryMaxBytes ? cut : `${whole}\n`);
}

/** Leaves the reports in the run's directory, and the summary where GitHub Actions shows it (`GITHUB_STEP_SUMMARY`). */
export function fileReporter(env: NodeJS.ProcessEnv, compare?: Compare): Reporter {
  let outDir = '';
  return {
    onRunStart(run) {
      ({ outDir } = run);
    },
    async onRunEnd(result) {
      const comparison = compare?.(result);
      await writeReports(result, outDir, comparison);
      const { GITHUB_STEP_SUMMARY: stepSummary } = env;
      if (stepSummary) await appendStepSummary(summaryMarkdown(result, outDir, comparison), stepSummary);
    },
  };
}
