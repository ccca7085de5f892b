import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Comparison } from '../../compare/compare.ts';
import { HarnessError } from '../../model/errors.ts';
import type { CaseResult, RunResult } from '../../model/verdict.ts';
import { type RunPlace, troubleStatuses } from '../run-facts.ts';
import { caseRecordOf, type RunRecords } from './case-data.ts';
import { overviewOf } from './overview-data.ts';

const compress = promisify(gzip);

/**
 * A larger report opens slowly, and some mail servers refuse it: records beyond this are left out, first those of cases
 * that did as expected.
 */
const mostRecordBytes = 24 << 20;

/** The page is built next to the compiled code; sources use the same copy. */
function readPage(): string {
  const places = ['./page.html', '../../../.build/harness/report/html/page.html'];
  const found = places.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  if (found !== undefined) return readFileSync(found, 'utf8');
  throw new HarnessError('internal', 'the page of report.html has not been built', { hint: 'Run: npm run build' });
}

/** Data as the page finds it: a script element that no browser runs, and base64, in which no markup can hide. */
async function block(id: string, value: unknown): Promise<string> {
  const packed = await compress(JSON.stringify(value), { level: 9 });
  return `<script type="application/gzip;base64" id="${id}">${packed.toString('base64')}</script>\n`;
}

/** Cases whose records matter most come first. */
function byNeed(cases: readonly CaseResult[]): { result: CaseResult; index: number }[] {
  const all = cases.map((result, index) => ({ result, index }));
  const isTrouble = ({ result }: { result: CaseResult }) => troubleStatuses.includes(result.verdict.status);
  return [...all.filter(isTrouble), ...all.filter((one) => !isTrouble(one))];
}

export interface HtmlOptions {
  place: RunPlace;
  records: RunRecords;
  comparisons?: readonly Comparison[] | undefined;
}

/** report.html: one file with everything in it, for a browser without a network. */
export async function reportHtml(result: RunResult, { place, records, comparisons }: HtmlOptions): Promise<string> {
  const blocks: string[] = [];
  const withRecord = new Set<string>();
  const unreadable: string[] = [];
  let bytes = 0;
  for (const { result: one, index } of byNeed(result.cases)) {
    if (bytes > mostRecordBytes) break;
    try {
      const record = caseRecordOf(one, place, records);
      if (record === undefined) continue;
      const text = await block(`case-${index}`, record);
      bytes += text.length;
      blocks.push(text);
      withRecord.add(one.id);
    } catch (error) {
      unreadable.push(`${one.id}: ${(error as Error).message}`);
    }
  }
  const notes = [
    ...result.notes,
    ...(unreadable.length > 0 ? [`no records of ${unreadable.length} cases: ${unreadable[0]}`] : []),
  ];
  const overview = overviewOf({ ...result, notes }, withRecord, comparisons);
  const data = [await block('overview', overview), ...blocks].join('');
  const [head = '', tail = ''] = readPage().split('{{data}}');
  return `${head}${data}${tail}`;
}
