import { HarnessError } from '../model/errors.ts';

/** A package file that was downloaded and verified. */
export interface FetchedPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** The .deb. */
  readonly path: string;
  readonly sha256: string;
}

/** Where Debian's packages come from. */
export interface PackageSource {
  /**
   * Downloads packages, each `name` or `name:arch`, of a suite's `main` into `folder`. Rejects with HarnessError
   * `missing-asset` if any cannot be had or verified.
   */
  fetch(suite: string, names: readonly string[], folder: string): Promise<FetchedPackage[]>;
}

/** What a set cannot be made for: the set is left out, and others go on. */
export const unfetchable = (message: string, hint?: string): HarnessError =>
  new HarnessError('missing-asset', message, hint === undefined ? {} : { hint });
