import { InvalidArgumentError } from 'commander';

/** A commander parser for a whole number from 1. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.');
  return Number(text);
}
