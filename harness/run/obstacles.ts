import { HarnessError } from '../model/errors.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { resolveUnread } from '../resolve/resolve-unread.ts';
import type { ArtefactSources } from '../resolve/resolving.ts';
import type { OpenedHost } from './open-host.ts';

async function resolveOrSay(scenario: Scenario, sources: ArtefactSources): Promise<Resolved | { missing: string }> {
  try {
    return await resolveUnread(scenario, sources);
  } catch (error) {
    // A run would refuse it.
    if (error instanceof HarnessError) return { missing: error.message };
    throw error;
  }
}

async function obstacleOf(scenario: Scenario, sources: ObstacleSources): Promise<string | undefined> {
  const found = await resolveOrSay(scenario, sources);
  if ('missing' in found) return found.missing;
  // Looking at a matrix must not run a program that it names by path.
  if (typeof scenario.qemu === 'object') return undefined;
  const { program } = found.qemu;
  const nics = await sources.offeredNics.of(found.qemu);
  if (nics === undefined) return `${program} is not installed, or does not answer`;
  return nics.includes(scenario.nic) ? undefined : `${program} has no device ${scenario.nic}`;
}

export type ObstacleSources = ArtefactSources & Pick<OpenedHost, 'offeredNics'>;

/** Why this host cannot run cells, by cell id. Files are only looked for, neither read nor built. */
export async function findObstacles(
  cells: readonly Scenario[],
  sources: ObstacleSources,
): Promise<ReadonlyMap<string, string>> {
  const obstacles = new Map<string, string>();
  for (const scenario of cells) {
    const obstacle = await obstacleOf(scenario, sources);
    if (obstacle !== undefined) obstacles.set(scenario.id, obstacle);
  }
  await sources.offeredNics.save();
  return obstacles;
}
