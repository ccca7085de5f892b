/** Numbers from 0 to 1, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** MurmurHash3's 32-bit finalizer. */
function mix(word: number): number {
  let mixed = word ^ (word >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The numbers of these integers, whatever else was drawn before: mulberry32 from their hash, a word at a time. */
export function randomOf(...key: readonly number[]): () => number {
  const words = key.flatMap((integer) => [integer, Math.floor(integer / 2 ** 32)]);
  return randomFrom(words.reduce((hash, word) => mix((hash ^ word) + 0x9e3779b9), 0));
}
