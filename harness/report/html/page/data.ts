import type { CaseRecord, Overview } from '../report-data.ts';

/** Data lies in the page as script elements that no browser runs: base64 of gzip of JSON. */
async function decode<T>(elementId: string): Promise<T> {
  const text = document.getElementById(elementId)?.textContent;
  if (!text) throw new Error(`this file holds no ${elementId}; was it saved whole?`);
  const bytes = Uint8Array.from(atob(text.trim()), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text()) as T;
}

export const readOverview = (): Promise<Overview> => decode('overview');

const records = new Map<number, Promise<CaseRecord>>();

/** The record of the nth case; decoded once. */
export function readRecord(index: number): Promise<CaseRecord> {
  const known = records.get(index) ?? decode<CaseRecord>(`case-${index}`);
  records.set(index, known);
  return known;
}
