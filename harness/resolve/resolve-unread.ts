import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { unreadable } from '../assets/fingerprint.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { resolveScenario } from './resolve.ts';
import type { ArtefactSources } from './resolving.ts';

/** Its size only, and whether it can be read at all. */
async function sizeOf(path: string): Promise<{ sha256: string; bytes: number }> {
  try {
    await access(path, constants.R_OK);
    return { sha256: '', bytes: (await stat(path)).size };
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The same sources, but files are not read unless there is no other way to tell, and none is made. */
function unread(
  { firmware }: Scenario,
  { sets, inspections, fingerprints, isolation }: ArtefactSources,
): ArtefactSources {
  const code = typeof firmware === 'object' ? firmware.code : undefined;
  const { unmade } = sets;
  return {
    sets: { ...sets, ...unmade, signed: (path, vars) => unmade.signed(path, vars, fingerprints) },
    isolation,
    fingerprints: { of: sizeOf, save: async () => {} },
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
