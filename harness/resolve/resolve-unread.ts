import { stat } from 'node:fs/promises';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { resolveScenario } from './resolve.ts';
import type { ArtefactSources } from './resolving.ts';

/** The same sources, but no file is read except firmware given by path, and nothing is signed, assembled or padded. */
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
 * `resolveScenario` in a few milliseconds: files are located but not read, so that inputs have no hashes. For reporting
 * what keeps a case from running.
 */
export function resolveUnread(scenario: Scenario, sources: ArtefactSources): Promise<Resolved | { missing: string }> {
  return resolveScenario(scenario, unread(scenario, sources));
}
