import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../os/package-root.ts';
import { unfetchable } from '../package-source.ts';
import { downloadText, type SignedFile } from './download.ts';
import { parseStanza, type Stanza } from './stanzas.ts';

/** A verified Release file: the hashes of a suite's indexes. */
export interface Release {
  /** By path below `dists/<suite>/`. */
  readonly files: ReadonlyMap<string, SignedFile>;
  readonly byHash: boolean;
}

export interface ReleaseRequest {
  /** Of the mirror, without a trailing slash. */
  readonly uri: string;
  readonly suite: string;
  /** Armoured public keys, any of which may have signed. */
  readonly keys: string;
  /** Accepts a Release file past its Valid-Until: a snapshot of the archive. */
  readonly allowExpired: boolean;
  readonly signal: AbortSignal;
}

const maxBytes = 8 << 20;
const keyBlock = /-----BEGIN PGP PUBLIC KEY BLOCK-----[\s\S]*?-----END PGP PUBLIC KEY BLOCK-----/g;

/** The keys that this package ships. */
export const debianKeys = (): Promise<string> =>
  readFile(join(packageRoot(), 'harness/install/mirror/debian-archive-keys.asc'), 'utf8');

async function readKeys(text: string) {
  const { readKey } = await import('openpgp');
  return Promise.all((text.match(keyBlock) ?? []).map((armoredKey) => readKey({ armoredKey })));
}

/** The signed text, once a known key has signed it. */
async function verified(name: string, signed: Signed, keyText: string): Promise<string> {
  const { createMessage, readCleartextMessage, readSignature, verify } = await import('openpgp');
  const verificationKeys = await readKeys(keyText);
  const read = async () => {
    if ('inRelease' in signed) {
      const message = await readCleartextMessage({ cleartextMessage: signed.inRelease });
      return { text: message.getText(), checked: await verify({ message, verificationKeys }) };
    }
    const message = await createMessage({ text: signed.release });
    const signature = await readSignature({ armoredSignature: signed.signature });
    return { text: signed.release, checked: await verify({ message, signature, verificationKeys }) };
  };
  const { text, checked } = await read().catch((error: Error) => {
    throw unfetchable(`${name}: expected a signed Release file, saw none (${error.message})`);
  });
  const reasons: string[] = [];
  for (const { verified: outcome, keyID } of checked.signatures) {
    try {
      await outcome;
      return text;
    } catch (error) {
      reasons.push(`key ${keyID.toHex().toUpperCase()}: ${(error as Error).message}`);
    }
  }
  throw unfetchable(
    `${name}: no valid signature of a Debian archive key (${reasons.join('; ') || 'it is not signed'})`,
    'Name a mirror of Debian itself: other archives, Ubuntu among them, are signed by others.',
  );
}

type Signed = { inRelease: string } | { release: string; signature: string };

async function downloadSignedRelease(folder: string, signal: AbortSignal): Promise<Signed> {
  const inRelease = await downloadText(`${folder}/InRelease`, maxBytes, signal);
  if (inRelease !== undefined) return { inRelease };
  const release = await downloadText(`${folder}/Release`, maxBytes, signal);
  const signature = await downloadText(`${folder}/Release.gpg`, maxBytes, signal);
  if (release !== undefined && signature !== undefined) return { release, signature };
  throw unfetchable(
    `${folder}: neither InRelease nor Release with Release.gpg is there`,
    'The mirror is the folder that has dists/ and pool/, as in --mirror https://deb.debian.org/debian.',
  );
}

/** A signature says who wrote a file, not which suite it is or how old: an attacker may send another one, or last year's. */
function refuseOther(name: string, stanza: Stanza, { suite, allowExpired }: ReleaseRequest): void {
  const called = [stanza.get('codename'), stanza.get('suite')];
  if (!called.includes(suite)) {
    throw unfetchable(`${name}: expected the Release file of ${suite}, saw that of ${called.join(', ')}`);
  }
  const until = stanza.get('valid-until');
  if (until === undefined || allowExpired || Date.parse(until) >= Date.now()) return;
  throw unfetchable(
    `${name}: expired at ${until}`,
    'Name a mirror that is up to date. For a snapshot of the archive, --allow-expired accepts it.',
  );
}

/** The lines `hash bytes path` of the field SHA256. */
function hashedFiles(stanza: Stanza): Map<string, SignedFile> {
  const rows = (stanza.get('sha256') ?? '').matchAll(/^\s*([0-9a-f]{64})\s+(\d{1,12})\s+(\S+)$/gm);
  return new Map([...rows].map(([, sha256 = '', bytes, path = '']) => [path, { sha256, bytes: Number(bytes) }]));
}

/** Downloads and verifies a suite's Release file: its signature, name and validity. */
export async function openRelease(request: ReleaseRequest): Promise<Release> {
  const folder = `${request.uri}/dists/${request.suite}`;
  const signed = await downloadSignedRelease(folder, request.signal);
  const name = `${folder}/${'inRelease' in signed ? 'InRelease' : 'Release'}`;
  const stanza = parseStanza(await verified(name, signed, request.keys));
  refuseOther(name, stanza, request);
  return { files: hashedFiles(stanza), byHash: stanza.get('acquire-by-hash') === 'yes' };
}
