import type { Resolved } from '../model/resolved.ts';
import { found, NotHere, type Resolving } from './resolving.ts';

/** Signs what the scenario wants signed, for the firmware's variable store; returns the path to use. */
export type Signer = (path: string) => Promise<string>;

export function createSigner({ scenario, sources }: Resolving, { vars }: Resolved['firmware']): Signer {
  const { sets, fingerprints } = sources;
  return async (path) => {
    if (scenario.signWith === undefined) return path;
    if (vars === null) throw new NotHere('nothing can be signed for firmware without a variable store');
    return found<{ path: string }>(await sets.signed(path, vars, fingerprints)).path;
  };
}
