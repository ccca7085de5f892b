import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Reporter } from '../model/reporter.ts';
import type { RunResult } from '../model/verdict.ts';
import { writeWhole } from '../os/write-whole.ts';
import { configurationsMarkdown } from './configurations.ts';
import { junitXml } from './junit.ts';
import { summaryMarkdown } from './summary.ts';

/** The files of a run's directory, each a view of the same result. */
const reportFiles = {
  'results.json': (result: RunResult) => `${JSON.stringify(result, null, 2)}\n`,
  'junit.xml': junitXml,
  'summary.md': summaryMarkdown,
  'configurations.md': configurationsMarkdown,
} satisfies Record<string, (result: RunResult, outDir: string) => string>;

/** GitHub drops a step summary of more than 1 MiB. */
const stepSummaryMaxBytes = 1_000_000;

async function writeReports(result: RunResult, outDir: string): Promise<void> {
  for (const [name, view] of Object.entries(reportFiles)) {
    await writeWhole(join(outDir, name), view(result, outDir));
  }
}

async function appendStepSummary(result: RunResult, outDir: string, file: string): Promise<void> {
  const whole = summaryMarkdown(result, outDir);
  const octets = Buffer.from(whole);
  const cut = `${octets.subarray(0, stepSummaryMaxBytes).toString('utf8')}\n\n… cut; the whole is in summary.md\n`;
  await appendFile(file, octets.length > stepSummaryMaxBytes ? cut : `${whole}\n`);
}

/** Leaves the reports in the run's directory, and the summary where GitHub Actions shows it (`GITHUB_STEP_SUMMARY`). */
export function fileReporter(env: NodeJS.ProcessEnv): Reporter {
  let outDir = '';
  return {
    onRunStart(run) {
      ({ outDir } = run);
    },
    async onRunEnd(result) {
      await writeReports(result, outDir);
      const { GITHUB_STEP_SUMMARY: stepSummary } = env;
      if (stepSummary) await appendStepSummary(result, outDir, stepSummary);
    },
  };
}
