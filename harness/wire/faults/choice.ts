import type { Choice } from '../../model/fault-choice.ts';

/** Whether the one of this number, from 1, is chosen. */
export function isChosen(choice: Choice, number: number, random: () => number): boolean {
  if (typeof choice === 'number') return random() < choice;
  if ('first' in choice) return number <= choice.first;
  if ('nth' in choice) return number === choice.nth;
  return 'every' in choice ? number % choice.every === 0 : number > choice.after;
}

/** Says of each matching request in turn whether it is chosen. */
export function chooser(choice: Choice, random: () => number): () => boolean {
  let count = 0;
  return () => isChosen(choice, ++count, random);
}
