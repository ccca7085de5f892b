import { isDeepStrictEqual } from 'node:util';
import { HarnessError } from '../../model/errors.ts';
import type { Scenario } from '../../model/scenario.ts';
import type { RunRecord } from './run-directory.ts';

/** What a run was asked to do, and its directory for messages. */
export interface NamedRecord {
  path: string;
  record: RunRecord;
}

const conflict = (message: string, hint: string): HarnessError =>
  new HarnessError('bad-run-directory', message, { hint });

/** What all parts of a run share, by the name used in a conflict. */
const shared: Record<string, (record: RunRecord) => unknown> = {
  'the matrix': ({ matrix }) => matrix,
  'the number of repeats': ({ repeat }) => repeat,
  'the version of the harness (SHA-256)': ({ code }) => code?.slice(0, 16) ?? 'not recorded',
};

function refuseOthers([first, ...others]: readonly [NamedRecord, ...NamedRecord[]]): void {
  for (const { path, record } of others) {
    for (const [what, of] of Object.entries(shared)) {
      if (of(record) === of(first.record)) continue;
      throw conflict(
        `these are not parts of one run: ${what} is ${of(first.record)} in ${first.path}, and ${of(record)} in ${path}`,
        'Merge only runs of the same matrix, made by the same version with the same options.',
      );
    }
  }
}

/** The same id must mean the same cell, and cells of a selection must have places of their own. */
function placeCells(named: readonly NamedRecord[]): { cells: Map<string, Scenario>; places: Map<string, number> } {
  const cells = new Map<string, Scenario>();
  const places = new Map<string, number>();
  const taken = new Map<number, string>();
  for (const { path, record } of named) {
    for (const [nth, cell] of record.cells.entries()) {
      if (!isDeepStrictEqual(cells.get(cell.id) ?? cell, cell))
        throw conflict(`${cell.id} is another cell in ${path} than before`, 'Merge only runs of the same matrix.');
      cells.set(cell.id, cell);
      const place = record.shard?.places[nth];
      if (place === undefined) continue;
      const other = taken.get(place) ?? cell.id;
      if (other !== cell.id)
        throw conflict(
          `${path} is a part of another selection: its cell ${cell.id} has the place of ${other}`,
          'Merge shards that were chosen with the same filters.',
        );
      taken.set(place, cell.id);
      places.set(cell.id, place);
    }
  }
  return { cells, places };
}

/** `3/4`, for each shard that is not there. */
function missingShards(named: readonly NamedRecord[]): string[] {
  const shards = named.flatMap(({ record }) => record.shard ?? []);
  const counts = [...new Set(shards.map(({ count }) => count))];
  if (counts.length > 1)
    throw conflict(`these are shards of ${counts.join(' and of ')}`, 'Merge the shards of one division.');
  const [count = 0] = counts;
  const there = new Set(shards.map(({ index }) => index));
  return Array.from({ length: count }, (_, nth) => nth + 1)
    .filter((index) => !there.has(index))
    .map((index) => `${index}/${count}`);
}

/**
 * What the unsharded run would have been asked to do, with the cells in the matrix's order.
 * @throws HarnessError `bad-run-directory` if these are not parts of one run
 */
export function mergeRecords(named: readonly [NamedRecord, ...NamedRecord[]]): {
  record: RunRecord;
  missing: string[];
} {
  refuseOthers(named);
  const missing = missingShards(named);
  const { cells, places } = placeCells(named);
  const placeOf = ({ id }: Scenario) => places.get(id) ?? Number.MAX_SAFE_INTEGER;
  const { shard: _, ...first } = named[0].record;
  const startedAt = named.map(({ record }) => record.startedAt).sort()[0] as string;
  return {
    record: { ...first, startedAt, cells: [...cells.values()].sort((a, b) => placeOf(a) - placeOf(b)) },
    missing,
  };
}
