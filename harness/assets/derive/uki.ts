import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fingerprints } from '../fingerprint.ts';
import { MalformedFile } from '../inspect/malformed.ts';
import { withSections } from '../inspect/pe-sections.ts';
import type { Missing } from '../sets/artefact-set.ts';
import { makeOnce } from './made-once.ts';

/** What a unified kernel image is made of: paths, and the part of the kernel command line that is the same in every run. */
export interface UkiParts {
  readonly stub: string;
  readonly kernel: string;
  /** In the order the kernel unpacks them. */
  readonly initrds: readonly string[];
  readonly commandLine: string;
}

export interface Uki {
  readonly path: string;
  /** At the end of the command line. */
  readonly nonce: { readonly offsets: readonly number[]; readonly bytes: number };
}

const nonceBytes = 32;

/** The section with the kernel command line, which leaves room for the nonce. */
function commandLineSection(commandLine: string): { name: string; content: Buffer } {
  const content = Buffer.alloc(commandLine.length + nonceBytes);
  content.write(commandLine, 'latin1');
  return { name: '.cmdline', content };
}

const noStub = (stub: string, { message }: MalformedFile): Missing => ({
  missing: `no unified kernel image can be made on ${stub}: ${message}`,
});

/** Why no image can be made on a stub; undefined if one can. */
export async function lackForUki({ stub, commandLine }: UkiParts): Promise<Missing | undefined> {
  try {
    withSections(await readFile(stub), [commandLineSection(commandLine)]);
    return undefined;
  } catch (error) {
    if (error instanceof MalformedFile) return noStub(stub, error);
    throw error;
  }
}

/**
 * A unified kernel image (UAPI group specification 5) on systemd-boot's stub, made once per set of parts and kept in the
 * cache folder. A reason where the stub is no PE image; HarnessError `disk` where it cannot be written.
 */
export async function makeUki(
  { stub, kernel, initrds, commandLine }: UkiParts,
  { cacheDir, fingerprints }: { cacheDir: string; fingerprints: Fingerprints },
): Promise<Uki | Missing> {
  const sums = await Promise.all([stub, kernel, ...initrds].map(async (path) => (await fingerprints.of(path)).sha256));
  const key = createHash('sha256')
    .update(JSON.stringify([1, sums, commandLine]))
    .digest('hex')
    .slice(0, 32);
  const cmdline = commandLineSection(commandLine);
  try {
    const base = await readFile(stub);
    const [offset = 0] = withSections(base, [cmdline]).offsets;
    const path = await makeOnce(join(cacheDir, 'ukis', `${key}.efi`), async () => {
      const initrd = Buffer.concat(await Promise.all(initrds.map((path) => readFile(path))));
      const own = [
        { name: '.initrd', content: initrd },
        { name: '.linux', content: await readFile(kernel) },
      ];
      return withSections(base, [cmdline, ...own]).bytes;
    });
    return { path, nonce: { offsets: [offset + commandLine.length], bytes: nonceBytes } };
  } catch (error) {
    if (error instanceof MalformedFile) return noStub(stub, error);
    throw error;
  }
}
