import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { packageRoot } from '../../os/package-root.ts';
import { lackForSigning, signWithSnakeoil } from '../derive/snakeoil.ts';
import type { Uki, UkiParts } from '../derive/uki.ts';
import type { Fingerprints } from '../fingerprint.ts';
import type { Missing } from './artefact-set.ts';
import { type FoundCommand, findCommand } from './commands.ts';

/** Files made from others on demand. */
interface Making {
  /** An EFI image signed with the snakeoil key that the variable store `vars` has enrolled. */
  signed(path: string, vars: string, fingerprints: Fingerprints): Promise<{ readonly path: string } | Missing>;
  /** An image padded with zeros to `bytes`, for flash of that size. */
  filledUp(path: string, bytes: number, fingerprints: Fingerprints): Promise<{ readonly path: string } | Missing>;
  /** A kernel, its initrds and its command line in one EFI image. */
  uki(parts: UkiParts, fingerprints: Fingerprints): Promise<Uki | Missing>;
}

/** What sets do not have: payloads built with this package, and what was unpacked at set-up or made on demand. */
export interface MadeFiles extends Making {
  /** A payload: `linux-initrd-x86_64.cpio.gz`, `probe-x86_64.efi`, `probe-bios.0`, … */
  payload(name: string): { readonly path: string } | Missing;
  /** A program unpacked at set-up, such as `tgt`; `root` is its root directory. */
  program(name: string): Promise<{ readonly root: string } | Missing>;
  /** A program by name or path, as a user's server is named. */
  command(command: string): Promise<FoundCommand | Missing>;
  /** The same answers, but nothing is made: a path is that of the file it would be made from. */
  readonly unmade: Making;
}

/** Built along with the harness; the published package has all of them. */
const ownPayloads = () => join(packageRoot(), '.build', 'payloads');

async function payloadsOf(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder).catch(() => []);
  return new Map(names.map((name) => [name, join(folder, name)]));
}

const noFolderToSign: Missing = { missing: 'signing needs a cache folder, and there is none' };
const noFolderForUki: Missing = { missing: 'unified kernel images need a cache folder, and there is none' };

const unmade = (cacheDir: string | undefined): Making => ({
  async signed(path, vars, fingerprints) {
    if (cacheDir === undefined) return noFolderToSign;
    return (await lackForSigning(path, vars, { cacheDir, fingerprints })) ?? { path };
  },
  async filledUp(path, bytes) {
    const { lackForFilling } = await import('../derive/filled-up.ts');
    return (await lackForFilling(path, bytes, cacheDir)) ?? { path };
  },
  async uki(parts) {
    if (cacheDir === undefined) return noFolderForUki;
    const { lackForUki } = await import('../derive/uki.ts');
    return (await lackForUki(parts)) ?? { path: parts.stub, nonce: { offsets: [], bytes: 0 } };
  },
});

export async function openMadeFiles(
  cacheDir: string | undefined,
  env: NodeJS.ProcessEnv,
  payloadsDir = ownPayloads(),
): Promise<MadeFiles> {
  const payloads = await payloadsOf(payloadsDir);
  return {
    unmade: unmade(cacheDir && resolve(cacheDir)),
    payload(name) {
      const path = payloads.get(name);
      return path === undefined
        ? { missing: `no payload ${name} has been built, for lack of an assembler; \`netboot doctor\` says how` }
        : { path };
    },
    async program(name) {
      const root = join(resolve(cacheDir ?? '.'), 'programs', name, 'root');
      const there = cacheDir !== undefined && (await stat(root).catch(() => undefined))?.isDirectory();
      return there ? { root } : { missing: `the program ${name} is not here; \`netboot install\` fetches it` };
    },
    command: (command) => findCommand(command, { cacheDir, env }),
    async signed(path, vars, fingerprints) {
      if (cacheDir === undefined) return noFolderToSign;
      return signWithSnakeoil(path, vars, { cacheDir: resolve(cacheDir), fingerprints });
    },
    async filledUp(path, bytes, fingerprints) {
      const { fillUp } = await import('../derive/filled-up.ts');
      return fillUp(path, bytes, { cacheDir: cacheDir && resolve(cacheDir), fingerprints });
    },
    async uki(parts, fingerprints) {
      if (cacheDir === undefined) return noFolderForUki;
      const { makeUki } = await import('../derive/uki.ts');
      return makeUki(parts, { cacheDir: resolve(cacheDir), fingerprints });
    },
  };
}
