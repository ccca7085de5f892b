/** A name under which nothing is ever served, and why. */
export interface UnsafeName {
  readonly unsafe: string;
}

const maxNameBytes = 1024;
const maxSegmentBytes = 255;

const unsafeNames: readonly { reason: string; test: (name: string) => boolean }[] = [
  { reason: `the name is longer than ${maxNameBytes} bytes`, test: (name) => Buffer.byteLength(name) > maxNameBytes },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it matches
  { reason: 'the name has control characters', test: (name) => /[\0-\x1f\x7f]/.test(name) },
  { reason: 'the name has a backslash', test: (name) => name.includes('\\') },
  { reason: 'the name is not valid UTF-8', test: (name) => name.includes('\ufffd') || /\p{Surrogate}/u.test(name) },
  { reason: 'the name has a ".." segment', test: (name) => name.split('/').includes('..') },
  {
    reason: `the name has a segment of more than ${maxSegmentBytes} bytes`,
    test: (name) => name.split('/').some((segment) => Buffer.byteLength(segment) > maxSegmentBytes),
  },
];

/**
 * A requested name, normalised: relative, single slashes, no "." segments. shim and GRUB send leading and doubled slashes;
 * anything that could lead out of the tree is unsafe. Served, logged and judged names all come from here, so that what is
 * served is what proves a stage.
 */
export function parseName(requested: string): string | UnsafeName {
  const found = unsafeNames.find(({ test }) => test(requested));
  if (found) return { unsafe: found.reason };
  return requested
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

/** The name that a TFTP or NFS request is for; an unsafe one is returned as sent, and is never served. */
export function nameOf(requested: string): string {
  const name = parseName(requested);
  return typeof name === 'string' ? name : requested;
}

/** A target that percent-decoding fails for. */
export const undecodable: UnsafeName = { unsafe: 'the target cannot be percent-decoded' };

/** The name that an HTTP request target (RFC 9112 §3.2) is for: its path, percent-decoded, without the query. */
export function parseTarget(target: string): string | UnsafeName {
  // Absolute form: some firmware sends it as if to a proxy.
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  try {
    return parseName(decodeURIComponent(path));
  } catch {
    return undecodable;
  }
}

/** A served name as the path of a URL (RFC 3986 §3.3), without a leading slash. */
export function urlPathOf(name: string): string {
  return name.split('/').filter(Boolean).map(encodeURIComponent).join('/');
}

/**
 * The folder that NFS exports the served tree as. Not "/": for a file there iPXE, 2.0.0 included, frees a string that it
 * never allocated (`dirname()` in nfs_uri.c), and then fails at the next file or hangs.
 */
export const nfsExport = 'netboot';

/** The folder of the served tree that an NFS client mounts: '' for the export itself; undefined if not below it. */
export function exportedFolder(path: string): string | undefined {
  const [first, ...rest] = path.split('/').filter(Boolean);
  return first === nfsExport ? rest.join('/') : undefined;
}
