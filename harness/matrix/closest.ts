/** Edit distance (Levenshtein), one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const substituted = (row[j] ?? 0) + (char === b[j] ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The known word that a misspelt one probably meant, if one is near enough to be worth saying. */
function closest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 60) return undefined;
  const ranked = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined;
}

/** `; did you mean "x"?`, or nothing. */
export function didYouMean(word: unknown, known: readonly string[]): string {
  const candidate = typeof word === 'string' ? closest(word, known) : undefined;
  return candidate === undefined ? '' : `; did you mean "${candidate}"?`;
}
