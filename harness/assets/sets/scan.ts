import { basename, dirname, join, resolve } from 'node:path';
import type { SecureBoot } from '../../model/axes.ts';
import { interfaceOfFirmware } from '../../model/firmware-interface.ts';
import type { Fingerprints } from '../fingerprint.ts';
import { readBounded } from '../inspect/read-bounded.ts';
import type { Inspections } from '../inspections.ts';
import { type Place, placeFile } from './place-file.ts';
import { walkFolder } from './scan-walk.ts';
import type { ManifestInput } from './set-manifest.ts';

export interface ScanSources {
  inspections: Pick<Inspections, 'of'>;
  fingerprints: Pick<Fingerprints, 'of'>;
}

export interface Scan {
  /** What a `set.json` of the folder would say; paths relative to it. */
  manifest: ManifestInput;
  /** Places that more than one file could take: none of these files is used. */
  ambiguous: { place: string; paths: string[] }[];
  /** Files that look bootable but have no place, and why. */
  unplaced: { path: string; reason: string }[];
  /** Number of files that no machine boots from. */
  others: number;
}

interface Found {
  path: string;
  place: Place;
  sha256: string;
  /** For UEFI code: its variable store and the keys enrolled in it. */
  vars?: string;
  secureBoot: SecureBoot;
}

const textOf: { [P in Place['part']]: (place: Extract<Place, { part: P }>) => string } = {
  firmware: ({ firmware, arch, smm }) => `firmware ${firmware} for ${arch}${smm ? ' with SMM' : ''}`,
  variables: () => 'variables',
  roms: ({ nic, kind, arch }) => `ROM of ${nic} (${kind}, ${arch})`,
  nbps: ({ secondStage, arch, bios }) => `second stage ${secondStage} for ${arch} (${bios ? 'BIOS' : 'UEFI'})`,
  kernels: ({ arch }) => `kernel for ${arch}`,
};
const placeText = (place: Place): string => textOf[place.part](place as never);

/** Debian and edk2 name the two halves alike: OVMF_CODE_4M.ms.fd and OVMF_VARS_4M.ms.fd, QEMU_EFI.fd and QEMU_VARS.fd. */
const variablesName = (code: string): string => basename(code).replace(/CODE|EFI/, 'VARS');

/** Whose keys are enrolled in a variable store, by the names in their certificates. */
async function enrolledIn(store: string): Promise<SecureBoot> {
  const bytes = await readBounded(store);
  if (bytes.includes('SnakeOil Test Key', 0, 'latin1')) return 'snakeoil';
  return bytes.includes('Microsoft Corporation', 0, 'latin1') ? 'microsoft' : 'off';
}

/** Fills each place that exactly one file claims; identical copies count as one. */
function settle(found: readonly Found[]): { taken: Found[]; ambiguous: Scan['ambiguous'] } {
  const claims = new Map<string, Found[]>();
  for (const one of found) {
    const key = placeText(one.place) + (one.secureBoot === 'off' ? '' : `, Secure Boot ${one.secureBoot}`);
    claims.set(key, [...(claims.get(key) ?? []), one]);
  }
  const taken: Found[] = [];
  const ambiguous: Scan['ambiguous'] = [];
  for (const [key, claimants] of claims) {
    const [first] = claimants as [Found, ...Found[]];
    if (claimants.every(({ sha256 }) => sha256 === first.sha256)) taken.push(first);
    else ambiguous.push({ place: key, paths: claimants.map(({ path }) => path) });
  }
  return { taken, ambiguous };
}

/** Pairs UEFI code with the variable store of the same name; code without one has no place. */
async function withVariables(
  folder: string,
  found: readonly Found[],
): Promise<{ whole: Found[]; lonely: Scan['unplaced'] }> {
  const stores = found.flatMap(({ path, place }) => (place.part === 'variables' ? [path] : []));
  const whole: Found[] = [];
  const lonely: Scan['unplaced'] = [];
  for (const one of found) {
    if (one.place.part === 'variables') continue;
    const isUefi = one.place.part === 'firmware' && interfaceOfFirmware(one.place.firmware) === 'uefi';
    const name = variablesName(one.path);
    const vars = stores.find((path) => path === join(dirname(one.path), name));
    if (!isUefi) whole.push(one);
    else if (vars !== undefined) whole.push({ ...one, vars, secureBoot: await enrolledIn(join(folder, vars)) });
    else lonely.push({ path: one.path, reason: `UEFI code without its variable store ${name} next to it` });
  }
  return { whole, lonely };
}

/** A set's name made from a folder's. */
export function setNameOf(text: string): string {
  const name = text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return name === '' || name === 'host' ? 'scanned' : name;
}

function manifestOf(folder: string, taken: readonly Found[]): ManifestInput {
  const of = <P extends Place['part']>(part: P) =>
    taken.flatMap((one) =>
      one.place.part === part ? [{ ...one, place: one.place as Extract<Place, { part: P }> }] : [],
    );
  return {
    name: setNameOf(basename(resolve(folder))),
    // What the folder lacks comes from the host.
    extends: 'host',
    firmware: of('firmware').map(({ path, vars, secureBoot, place: { firmware, arch, smm } }) => ({
      firmware,
      arch,
      code: path,
      ...(vars === undefined ? {} : { vars }),
      ...(secureBoot === 'off' ? {} : { secureBoot }),
      ...(smm ? { smm, machines: ['q35', 'pc-q35-*'] } : {}),
    })),
    roms: of('roms').map(({ path, place: { nic, kind, arch } }) => ({ nic, kind, arch, path })),
    nbps: of('nbps').map(({ path, place: { secondStage, arch, bios } }) => ({ secondStage, arch, bios, path })),
    kernels: of('kernels').map(({ path, place: { arch } }) => ({ arch, kernel: path })),
  };
}

/**
 * Inspects every file below a folder, such as iPXE's `src/bin-x86_64-efi` or edk2's `Build/…/FV`, and makes a set of
 * what it finds. Ambiguous places stay empty: nothing is guessed.
 */
export async function scanFolder(folder: string, { inspections, fingerprints }: ScanSources): Promise<Scan> {
  const { candidates, others, unread } = await walkFolder(folder);
  const found: Found[] = [];
  const unplaced: Scan['unplaced'] = [...unread];
  for (const path of candidates) {
    const file = join(folder, path);
    const placed = placeFile(await inspections.of(file), path);
    if ('reason' in placed) unplaced.push({ path, reason: placed.reason });
    else {
      const { sha256 } = await fingerprints.of(file);
      found.push(...placed.places.map((place): Found => ({ path, place, sha256, secureBoot: 'off' })));
    }
  }
  const { whole, lonely } = await withVariables(folder, found);
  const { taken, ambiguous } = settle(whole);
  return { manifest: manifestOf(folder, taken), ambiguous, unplaced: [...unplaced, ...lonely], others };
}
