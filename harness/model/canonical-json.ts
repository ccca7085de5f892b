/** JSON with sorted keys: equal for values that differ only in the order of keys or in absent ones being undefined. */
export function canonicalJson(value: unknown): string {
  const sorted = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  return sorted ?? 'undefined';
}

/** Whether two values are the same as records store them. */
export const isSameRecord = (a: unknown, b: unknown): boolean => a === b || canonicalJson(a) === canonicalJson(b);
