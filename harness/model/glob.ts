/**
 * Whether a whole text matches a pattern in which `*` stands for any text and `?` for one character. Patterns may come
 * from untrusted files: the time is at most the product of both lengths, unlike a regular expression's.
 */
export function globMatches(glob: string, text: string): boolean {
  let pattern = 0;
  let at = 0;
  /** Where to backtrack to if what follows the last `*` does not match: after the `*`, one character further in the text. */
  let retry: { pattern: number; at: number } | undefined;
  while (at < text.length || pattern < glob.length) {
    if (glob[pattern] === '*') {
      pattern += 1;
      retry = { pattern, at };
    } else if (at < text.length && (glob[pattern] === '?' || glob[pattern] === text[at])) {
      pattern += 1;
      at += 1;
    } else if (retry && retry.at < text.length) {
      retry.at += 1;
      ({ pattern, at } = retry);
    } else return false;
  }
  return true;
}
