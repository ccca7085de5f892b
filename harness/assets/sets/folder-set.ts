import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import { type ScanSources, scanFolder } from './scan.ts';
import { checkManifest, type Manifest, manifestFile, readManifest } from './set-manifest.ts';

export interface FolderSet {
  manifest: Manifest;
  /** What a scan could not decide; empty where there is a manifest. */
  remarks: string[];
}

/**
 * The set in a folder: from its `set.json`, or from inspecting its files; then `name` is what it is called.
 * Rejects with HarnessError `bad-set` for a broken manifest.
 */
export async function openFolderSet(directory: string, name: string, sources: ScanSources): Promise<FolderSet> {
  const folder = resolve(directory);
  if (existsSync(join(folder, manifestFile))) return { manifest: await readManifest(folder), remarks: [] };
  const { manifest, ambiguous, unplaced } = await scanFolder(folder, sources);
  if ([manifest.firmware, manifest.roms, manifest.nbps, manifest.kernels].every((part) => part?.length === 0)) {
    const seen = unplaced[0] ? `; the closest is ${unplaced[0].path} (${unplaced[0].reason})` : '';
    throw new HarnessError('bad-set', `${directory}: no ${manifestFile}, and no usable file${seen}`, {
      hint: `\`netboot set scan ${directory}\` says what each file is.`,
      details: { path: directory },
    });
  }
  return {
    manifest: await checkManifest({ ...manifest, name }, folder),
    remarks: ambiguous.map(({ place, paths }) => `${directory}: ${place} could be ${paths.join(' or ')}; none is used`),
  };
}
