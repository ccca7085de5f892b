/** `3.9 s`; below a second three digits, below 10 ms too. */
export function duration(ms: number): string {
  if (ms >= 99_950) return `${(ms / 1000).toFixed(0)} s`;
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 10 || ms === 0 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`;
}

/** A moment since the start: `12.345`. */
export const moment = (tMs: number): string => (tMs / 1000).toFixed(3);

const units = ['B', 'kB', 'MB', 'GB'] as const;

/** Decimal units: `8.2 MB`. */
export function bytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

export const rate = (count: number, ms: number): string => `${bytes(count / (Math.max(ms, 1) / 1000))}/s`;

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;
