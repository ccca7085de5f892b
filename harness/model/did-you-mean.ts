import { distance } from 'fastest-levenshtein';

const longestWord = 60;

/** `; did you mean "x"?` if a known word is close enough to the misspelt one; otherwise empty. */
export function didYouMean(word: unknown, known: readonly string[]): string {
  if (typeof word !== 'string' || word.length > longestWord) return '';
  const [best] = known
    .map((candidate) => ({ candidate, edits: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  if (!best || best.edits > Math.max(1, Math.floor(best.candidate.length / 3))) return '';
  return `; did you mean "${best.candidate}"?`;
}
