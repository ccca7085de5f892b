import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../os/package-root.ts';
import type { SetPackage } from './made-manifest.ts';

const recordedSchema = z.record(
  z.string(),
  z.record(z.string(), z.strictObject({ version: z.string(), sha256: z.string() })),
);
/** By set and package: the versions that the default matrix was last measured with. */
export type Recorded = Readonly<z.infer<typeof recordedSchema>>;

const file = () => join(packageRoot(), 'harness/install/recorded-packages.json');

export const readRecorded = async (): Promise<Recorded> =>
  recordedSchema.parse(JSON.parse(await readFile(file(), 'utf8')));

export const writeRecorded = (recorded: Recorded): Promise<void> =>
  writeFile(file(), `${JSON.stringify(recorded, null, 2)}\n`);

/** Packages that differ from the recorded ones, as `name recorded → found`. */
export function driftOf(recorded: Recorded[string], packages: readonly SetPackage[]): string[] {
  return packages.flatMap(({ name, version, sha256 }) => {
    const before = recorded[name];
    const isSame = before === undefined || sha256 === undefined || before.sha256 === sha256;
    return isSame ? [] : [`${name} ${before.version} → ${version}`];
  });
}

/** The new record: a set that could not be fetched keeps its old entry. */
export function recordOf(
  earlier: Recorded,
  made: Readonly<Record<string, readonly SetPackage[] | undefined>>,
): Recorded {
  const had = Object.entries(made).flatMap(([name, packages]) => {
    const facts = packages?.map(({ name: one, version, sha256 = '' }) => [one, { version, sha256 }] as const);
    return facts === undefined ? [] : [[name, Object.fromEntries(facts)] as const];
  });
  return { ...earlier, ...Object.fromEntries(had) };
}
