import { stat } from 'node:fs/promises';
import type { Scenario } from '../model/scenario.ts';
import { resolveScenario } from './resolve.ts';
import type { ArtefactSources } from './resolving.ts';

/** The same sources, where no file is read but firmware given by path, and nothing is signed, assembled or filled up. */
function unread({ firmware }: Scenario, { sets, inspections }: ArtefactSources): ArtefactSources {
  const code = typeof firmware === 'object' ? firmware.code : undefined;
  return {
    sets: {
      ...sets,
      signed: async (path) => ({ path }),
      filledUp: async (path) => ({ path }),
      uki: async ({ stub }) => ({ path: stub, nonce: { offsets: [], bytes: 0 } }),
    },
    fingerprints: {
      of: async (path) => ({ sha256: '', bytes: (await stat(path)).size }),
      save: async () => {},
    },
    inspections: {
      of: async (path) => (path === code ? inspections.of(path) : { type: 'unknown', bytes: 0, guess: null }),
    },
  };
}

/**
 * Why a case cannot be run here, as far as it shows without reading its files: in a few milliseconds, where
 * `resolveScenario` may hash a hundred megabytes. Throws what that throws.
 */
export async function obstacleOf(scenario: Scenario, sources: ArtefactSources): Promise<string | undefined> {
  const found = await resolveScenario(scenario, unread(scenario, sources));
  return 'missing' in found ? found.missing : undefined;
}
