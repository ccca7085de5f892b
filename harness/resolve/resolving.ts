import type { Fingerprints } from '../assets/fingerprint.ts';
import { identityOf } from '../assets/inspect/describe.ts';
import { ipxeRolesOf } from '../assets/inspect/ipxe-roles.ts';
import type { Inspections } from '../assets/inspections.ts';
import { type ArtefactSet, isMissing, type Missing } from '../assets/sets/artefact-set.ts';
import type { ArtefactSets } from '../assets/sets/sets.ts';
import { HarnessError } from '../model/errors.ts';
import type { Input, InputRole } from '../model/plan.ts';
import type { ResolvedFile } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';

/** Where artefacts come from. */
export interface ArtefactSources {
  sets: ArtefactSets;
  fingerprints: Fingerprints;
  inspections: Pick<Inspections, 'of'>;
  /** What keeps this host from running a user's server on a network of its own; nothing if it can. */
  isolation(hasPacketPrograms: boolean): Promise<object | { impossible: string; hint: string }>;
}

/** Why a cell cannot be run here: thrown by a resolution step and caught at the top. */
export class NotHere extends Error {}

/** Context shared by the steps of resolving one scenario. */
export interface Resolving {
  readonly scenario: Scenario;
  readonly sources: ArtefactSources;
  /** Every file the case depends on, in the order they were found. */
  readonly inputs: Input[];
  add(role: InputRole, path: string, from?: Input['package']): Promise<ResolvedFile>;
}

export function startResolving(scenario: Scenario, sources: ArtefactSources): Resolving {
  const { fingerprints, inspections } = sources;
  const inputs: Input[] = [];
  return {
    scenario,
    sources,
    inputs,
    async add(role, path, from) {
      const { sha256, bytes } = await fingerprints.of(path);
      // A folder cannot be inspected.
      const inspection = await inspections.of(path).catch(() => undefined);
      const isKnown = inspection !== undefined && !(inspection.type === 'unknown' && inspection.guess === null);
      const ipxe = inspection && ipxeRolesOf(inspection);
      inputs.push({
        ...{ role, path, sha256, bytes },
        ...(from && { package: { name: from.name, version: from.version } }),
        ...(isKnown && { identity: identityOf(inspection) }),
        ...(ipxe && { ipxe }),
      });
      return { path, bytes };
    },
  };
}

export function found<T extends object>(query: T | Missing): T {
  if (isMissing(query)) throw new NotHere(query.missing);
  return query;
}

type Ask<T> = (set: ArtefactSet) => Promise<T | Missing> | T | Missing;

/** Names of the other sets that have what one lacks. Sets that cannot be read are skipped. */
async function setsWith<T extends object>({ sets }: ArtefactSources, lacking: string, ask: Ask<T>): Promise<string[]> {
  const names: string[] = [];
  for (const name of sets.names) {
    if (name === lacking) continue;
    try {
      const set = await sets.get(name);
      if (!isMissing(set) && !isMissing(await ask(set))) names.push(name);
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
    }
  }
  return names;
}

/** An artefact of a set; where missing, the reason and the sets that have it. `say` is the matrix syntax for using one. */
export async function fromSet<T extends object>(
  sources: ArtefactSources,
  name: string,
  ask: Ask<T>,
  say: (set: string) => string,
): Promise<T> {
  const answer = await ask(found<ArtefactSet>(await sources.sets.get(name)));
  if (!isMissing(answer)) return answer;
  const [other, ...more] = await setsWith(sources, name, ask);
  if (other === undefined) throw new NotHere(answer.missing);
  const which = more.length === 0 ? `set ${other} has it` : `sets ${[other, ...more].join(', ')} have it`;
  throw new NotHere(`${answer.missing}; ${which}: say ${say(other)}`);
}
