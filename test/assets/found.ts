import { isMissing } from '../../harness/assets/sets/artefact-set.ts';

export function found<T extends object>(result: T | { readonly missing: string }): T {
  if (isMissing(result)) throw new Error(result.missing);
  return result as T;
}
