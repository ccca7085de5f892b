const maxLineBytes = 2_000;

/** Splits output into lines, and hands on a line that does not end as several. */
export function splitLines(onLine: (line: string) => void) {
  let begun = '';
  const flush = (): void => {
    if (begun !== '') onLine(begun.slice(0, maxLineBytes));
    begun = '';
  };
  return {
    flush,
    push(chunk: Buffer): void {
      const lines = (begun + chunk.toString('utf8')).split('\n');
      begun = lines.pop() as string;
      for (const line of lines) onLine(line.slice(0, maxLineBytes));
      if (begun.length >= maxLineBytes) flush();
    },
  };
}
