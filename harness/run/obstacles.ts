import { HarnessError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { makePlan } from '../plan/plan.ts';
import { resolveUnread } from '../resolve/resolve-unread.ts';
import type { ArtefactSources } from '../resolve/resolving.ts';
import { foundBoots } from './found-case.ts';
import type { OpenedHost } from './open-host.ts';

/** What keeps a case from running. */
export interface Obstacle {
  reason: string;
  /** It needs a set that only the user can have, which does not fail a run. */
  waits: boolean;
}

/** What files would show decides nothing. */
const unpredicted: Plan['prediction'] = { configuration: null, stopsAt: null, reasons: [], facts: [] };

type Refused = { refused: string };

/** Finds the files of a case and plans it. A run refuses some matrices altogether, because of one of their cases. */
async function prepare(
  scenario: Scenario,
  sources: ArtefactSources,
): Promise<Resolved | { missing: string } | Refused> {
  try {
    const found = await foundBoots(scenario, async (boot) => {
      const resolved = await resolveUnread(boot, sources);
      return 'missing' in resolved ? resolved : { scenario: boot, resolved, prediction: unpredicted };
    });
    if ('missing' in found) return found;
    makePlan({ ...found, scenario, nonce: '0' });
    return found.resolved;
  } catch (error) {
    if (error instanceof HarnessError) return { refused: error.message };
    throw error;
  }
}

/** What this case's QEMU lacks, if anything. */
async function lackOfQemu(
  { qemu, nic }: Scenario,
  found: Resolved['qemu'],
  { offeredNics }: ObstacleSources,
): Promise<string | undefined> {
  // Looking at a matrix must not run a program that it names by path.
  if (typeof qemu === 'object') return undefined;
  const nics = await offeredNics.of(found);
  if (nics === undefined) return `${found.program} is not installed, or does not answer`;
  return nics.includes(nic) ? undefined : `${found.program} has no device ${nic}`;
}

async function obstacleOf(scenario: Scenario, sources: ObstacleSources): Promise<Obstacle | undefined> {
  const found = await prepare(scenario, sources);
  if ('missing' in found) return { reason: found.missing, waits: scenario.waitsFor !== undefined };
  const reason = 'refused' in found ? found.refused : await lackOfQemu(scenario, found.qemu, sources);
  return reason === undefined ? undefined : { reason, waits: false };
}

export type ObstacleSources = ArtefactSources & Pick<OpenedHost, 'offeredNics'>;

/** Why this host cannot run cells, by cell id. Files are looked for; nothing is made, and hardly anything is read. */
export async function findObstacles(
  cells: readonly Scenario[],
  sources: ObstacleSources,
): Promise<ReadonlyMap<string, Obstacle>> {
  const obstacles = new Map<string, Obstacle>();
  for (const scenario of cells) {
    const obstacle = await obstacleOf(scenario, sources);
    if (obstacle !== undefined) obstacles.set(scenario.id, obstacle);
  }
  await sources.offeredNics.save();
  return obstacles;
}
