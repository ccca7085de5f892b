// Time and CPU when a text first appears on a serial console; the same tap on both sides.

const keptCharacters = 4096;

/** `push` takes serial bytes; `at(text)` is the clocks' reading when `text` was first complete, if ever. */
export function watchMarks(texts) {
  const seen = new Map();
  let tail = '';
  return {
    push(chunk) {
      tail = (tail + chunk.toString('latin1')).slice(-keptCharacters);
      for (const text of texts) if (!seen.has(text) && tail.includes(text)) seen.set(text, clocks());
    },
    has: (text) => seen.has(text),
    at: (text) => seen.get(text),
  };
}

/** Wall clock and CPU of this process, ms. */
export function clocks() {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), cpuMs: (user + system) / 1000 };
}

/** The difference between two readings. */
export const between = (from, to) => ({ ms: to.ms - from.ms, cpuMs: to.cpuMs - from.cpuMs });
