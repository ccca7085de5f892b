import type { Fingerprints } from '../../assets/fingerprint.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Input } from '../../model/plan.ts';

/** How an input changed since it was inspected; undefined if it did not. */
async function changeOf({ path, sha256 }: Input, fingerprints: Pick<Fingerprints, 'of'>): Promise<string | undefined> {
  try {
    const now = (await fingerprints.of(path)).sha256;
    return now === sha256 ? undefined : `it had SHA-256 ${sha256}, and has ${now}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * A guest that boots other files than those inspected and recorded proves nothing.
 * @throws HarnessError `changed-input` naming the first changed file
 */
export async function refuseChangedInputs(
  inputs: readonly Input[],
  fingerprints: Pick<Fingerprints, 'of'>,
): Promise<void> {
  for (const input of inputs) {
    const change = await changeOf(input, fingerprints);
    if (change === undefined) continue;
    throw new HarnessError('changed-input', `${input.path} changed since the run began: ${change}`, {
      hint: 'Run the case again once nothing writes its files.',
      details: { path: input.path },
    });
  }
}
