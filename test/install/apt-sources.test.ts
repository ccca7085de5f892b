import { expect, test } from 'vitest';
import { findMirror, parseListFile, parseSourcesFile } from '../../harness/install/apt-sources.ts';

const debSources = `# See sources.list(5)
Types: deb
# http://snapshot.example/debian
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;

test('a deb822 file gives the mirror of the suite and its key', () => {
  expect(findMirror('bookworm', parseSourcesFile(debSources))).toEqual({
    uri: 'http://mirror.example/debian',
    signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
  });
});

test('an embedded key is left to the trusted keys of apt', () => {
  const text =
    'Types: deb\nURIs: https://m.example/debian\nSuites: trixie\nComponents: main contrib\nSigned-By:\n -----BEGIN PGP\n .\n abc\n';
  expect(findMirror('trixie', parseSourcesFile(text))).toEqual({
    uri: 'https://m.example/debian',
    signedBy: undefined,
  });
});

test('a one-line file gives the mirror, past sources of other people', () => {
  const text = [
    'deb https://other.example/apt stable main',
    '# deb http://commented.example/debian bookworm main',
    'deb-src http://mirror.example/debian bookworm main',
    'deb [arch=amd64 signed-by=/etc/apt/keys/own.gpg] http://mirror.example/debian bookworm main contrib # ours',
  ].join('\n');
  expect(findMirror('bookworm', parseListFile(text))).toEqual({
    uri: 'http://mirror.example/debian',
    signedBy: '/etc/apt/keys/own.gpg',
  });
});

test('a machine without the suite has no mirror', () => {
  expect(
    findMirror('bookworm', parseListFile('deb http://archive.example/ubuntu noble main universe')),
  ).toBeUndefined();
});
