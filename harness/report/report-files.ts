import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Comparison } from '../compare/compare.ts';
import type { Reporter } from '../model/reporter.ts';
import type { RunResult } from '../model/verdict.ts';
import { writeWhole } from '../os/write-whole.ts';
import type { Compare } from './comparison.ts';
import { configurationsMarkdown } from './configurations.ts';
import type { RunRecords } from './html/case-data.ts';
import { type HtmlOptions, reportHtml } from './html/report-html.ts';
import { junitXml } from './junit.ts';
import type { Invocation, RunPlace } from './run-facts.ts';
import { summaryMarkdown } from './summary.ts';

/** The files of a run's directory, each a view of the same result. */
const reportFiles = {
  'results.json': (result: RunResult) => `${JSON.stringify(result, null, 2)}\n`,
  'junit.xml': junitXml,
  'summary.md': summaryMarkdown,
  'configurations.md': configurationsMarkdown,
} satisfies Record<string, (result: RunResult, place: RunPlace, comparisons?: readonly Comparison[]) => string>;

/** GitHub drops a step summary of more than 1 MiB. */
const stepSummaryMaxBytes = 1_000_000;

/** Writes every report of a run into its directory; report.html is made from the records that lie there. */
export async function writeReports(
  result: RunResult,
  { into, ...options }: HtmlOptions & { /** Where it is now; default: its place. */ into?: string },
): Promise<void> {
  const { place, comparisons } = options;
  const folder = into ?? place.outDir;
  for (const [name, view] of Object.entries(reportFiles)) {
    await writeWhole(join(folder, name), view(result, place, comparisons));
  }
  await writeWhole(join(folder, 'report.html'), await reportHtml(result, options));
}

/** Appends Markdown where GitHub Actions shows it (`GITHUB_STEP_SUMMARY`), if anywhere. */
export async function appendStepSummary(
  markdown: () => string,
  { GITHUB_STEP_SUMMARY: file }: NodeJS.ProcessEnv,
): Promise<void> {
  if (!file) return;
  const whole = markdown();
  const bytes = Buffer.from(whole);
  const cut = `${bytes.subarray(0, stepSummaryMaxBytes).toString('utf8')}\n\n… cut; the directory of the run has the whole\n`;
  await appendFile(file, bytes.length > stepSummaryMaxBytes ? cut : `${whole}\n`);
}

export interface FileReporterOptions {
  invocation: Invocation;
  env: NodeJS.ProcessEnv;
  /** The records of the run in a directory. */
  recordsOf: (outDir: string) => RunRecords;
  compare?: Compare | undefined;
}

/** Leaves the reports in the run's directory, and the summary where GitHub Actions shows it (`GITHUB_STEP_SUMMARY`). */
export function fileReporter({ invocation, env, recordsOf, compare }: FileReporterOptions): Reporter {
  let outDir = '';
  return {
    onRunStart(run) {
      ({ outDir } = run);
    },
    async onRunEnd(result) {
      const comparisons = compare?.of(result);
      const place = { ...invocation, outDir };
      await writeReports(result, { place, records: recordsOf(outDir), comparisons });
      await appendStepSummary(() => summaryMarkdown(result, place, comparisons), env);
    },
  };
}
