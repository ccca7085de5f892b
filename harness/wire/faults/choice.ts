import type { Choice } from '../../model/fault-choice.ts';

/** Says of each matching frame or request in turn whether it is chosen. */
export function chooser(choice: Choice, random: () => number): () => boolean {
  let count = 0;
  return () => {
    count++;
    if (typeof choice === 'number') return random() < choice;
    if ('first' in choice) return count <= choice.first;
    if ('nth' in choice) return count === choice.nth;
    return 'every' in choice ? count % choice.every === 0 : count > choice.after;
  };
}
