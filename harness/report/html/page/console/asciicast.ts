import { screenSize } from '../../../../model/console-screen.ts';
import type { ConsoleChunk } from '../../report-data.ts';

/** A recording for asciinema (https://docs.asciinema.org/manual/asciicast/v2/): a header, then a line per piece of output. */
export function asciicast(
  chunks: readonly ConsoleChunk[],
  { title, startedAt }: { title: string; startedAt: string | null },
): string {
  const timestamp = startedAt === null ? {} : { timestamp: Math.floor(Date.parse(startedAt) / 1000) };
  const header = { version: 2, width: screenSize.cols, height: screenSize.rows, ...timestamp, title };
  const lines = chunks.map(([tMs, text]) => [tMs / 1000, 'o', text]);
  return [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
}
