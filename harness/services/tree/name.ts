/** Why a name is not served. */
export interface TreeRefusal {
  readonly kind: 'refused';
  readonly cause: 'unsafe-name' | 'not-found' | 'unreadable';
  /** For the event log: may name host paths, so it is not for the guest. */
  readonly reason: string;
}

export function refusal(cause: TreeRefusal['cause'], reason: string): TreeRefusal {
  return { kind: 'refused', cause, reason };
}

const maxNameBytes = 1024;
const maxSegmentBytes = 255;

const unsafe: readonly { reason: string; test: (name: string) => boolean }[] = [
  { reason: `the name is longer than ${maxNameBytes} octets`, test: (name) => Buffer.byteLength(name) > maxNameBytes },
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  { reason: 'the name has control characters', test: (name) => /[\0-\x1f\x7f]/.test(name) },
  { reason: 'the name has a backslash', test: (name) => name.includes('\\') },
  { reason: 'the name is not valid UTF-8', test: (name) => name.includes('\ufffd') || /\p{Surrogate}/u.test(name) },
  { reason: 'the name has a ".." segment', test: (name) => name.split('/').includes('..') },
  {
    reason: `the name has a segment of more than ${maxSegmentBytes} octets`,
    test: (name) => name.split('/').some((segment) => Buffer.byteLength(segment) > maxSegmentBytes),
  },
];

/**
 * A requested name as the tree knows it: relative, single slashes, no `.` segments. Leading and
 * doubled slashes are what shim and GRUB send; anything that could lead out of the tree is refused.
 */
export function parseName(requested: string): string | TreeRefusal {
  const found = unsafe.find(({ test }) => test(requested));
  if (found) return refusal('unsafe-name', found.reason);
  return requested
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}
