import { createPrivateKey } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import { findProgram } from '../../os/find-program.ts';
import { openTemporaryFolder } from '../../os/temporary-folder.ts';
import { writeWhole } from '../../os/write-whole.ts';
import type { Fingerprints } from '../fingerprint.ts';
import type { Missing } from '../sets/artefact-set.ts';

/** Folders, relative to the variable store, in which Debian's firmware packages ship the key pair they enrolled. */
const keyFolders = ['../ovmf', '../qemu-efi-aarch64', '.'];
const keyName = 'PkKek-1-snakeoil';
/** Not a secret: the packages document it. */
const passphrase = 'snakeoil';

const signer = 'sbsign';
const noSigner: Missing = { missing: 'sbsign is not installed: apt-get install sbsigntool' };

async function keyBeside(vars: string): Promise<string | undefined> {
  for (const folder of keyFolders) {
    const stem = join(dirname(vars), folder, keyName);
    const files = await Promise.all(['key', 'pem'].map((end) => stat(`${stem}.${end}`).catch(() => undefined)));
    if (files.every((file) => file?.isFile())) return stem;
  }
  return undefined;
}

async function sign(path: string, stem: string, target: string): Promise<Missing | undefined> {
  await using folder = await openTemporaryFolder('netboot-sign-');
  const work = folder.path;
  try {
    // sbsign takes no passphrase.
    const key = createPrivateKey({ key: await readFile(`${stem}.key`), passphrase });
    await writeFile(join(work, 'key.pem'), key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    const { execa } = await import('execa');
    const args = ['--key', join(work, 'key.pem'), '--cert', `${stem}.pem`, '--output', join(work, 'signed'), path];
    const { failed, code, stderr } = await execa(signer, args, { reject: false, stdin: 'ignore', timeout: 60_000 });
    if (code === 'ENOENT') return noSigner;
    if (failed) return { missing: `sbsign could not sign ${path}: ${String(stderr).trim().split('\n').at(-1)}` };
    await writeWhole(target, await readFile(join(work, 'signed')));
    return undefined;
  } catch (cause) {
    throw new HarnessError('disk', `cannot sign ${path} into ${target}: ${(cause as Error).message}`, {
      hint: 'Free some space or make the cache folder writable.',
      cause,
    });
  }
}

export interface SigningPlace {
  readonly cacheDir: string;
  readonly fingerprints: Fingerprints;
}

/** Where the signed image is kept, and whether it is there already. */
async function keptPlace(
  path: string,
  stem: string,
  { cacheDir, fingerprints }: SigningPlace,
): Promise<{ target: string; isMade: boolean }> {
  const [image, certificate] = await Promise.all([fingerprints.of(path), fingerprints.of(`${stem}.pem`)]);
  const target = join(cacheDir, 'signed', `${image.sha256.slice(0, 32)}.${certificate.sha256.slice(0, 16)}.efi`);
  return { target, isMade: (await stat(target).catch(() => undefined))?.isFile() ?? false };
}

const noKey = (vars: string): Missing => ({
  missing: `no ${keyName}.key and .pem next to ${vars}, so nothing can be signed for it`,
});

/**
 * An EFI image signed with the snakeoil key enrolled in the variable store `vars`: made once per image and key, kept in
 * the cache folder. HarnessError `disk` where it cannot be written.
 */
export async function signWithSnakeoil(
  path: string,
  vars: string,
  place: SigningPlace,
): Promise<{ readonly path: string } | Missing> {
  const stem = await keyBeside(vars);
  if (stem === undefined) return noKey(vars);
  const { target, isMade } = await keptPlace(path, stem, place);
  return (isMade ? undefined : await sign(path, stem, target)) ?? { path: target };
}

/** Why `signWithSnakeoil` would lack something; the image is read only to find out whether it is signed already. */
export async function lackForSigning(path: string, vars: string, place: SigningPlace): Promise<Missing | undefined> {
  const stem = await keyBeside(vars);
  if (stem === undefined) return noKey(vars);
  if (findProgram(signer) !== undefined) return undefined;
  return (await keptPlace(path, stem, place)).isMade ? undefined : noSigner;
}
