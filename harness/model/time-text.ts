/** To a tenth: `3.2 s`. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** For limits and long waits, which nobody reads to a tenth: `42 s`. */
export const wholeSeconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** `3m05s` from a minute on, `42s` below. */
export function roughDuration(ms: number): string {
  const total = Math.round(ms / 1000);
  return total < 60 ? `${total}s` : `${Math.floor(total / 60)}m${String(total % 60).padStart(2, '0')}s`;
}
