import { accessSync, constants, readFileSync } from 'node:fs';

function osRelease() {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').split('\n');
    return Object.fromEntries(
      lines.filter((line) => line.includes('=')).map((line) => /^(\w+)="?(.*?)"?$/.exec(line)?.slice(1) ?? []),
    );
  } catch {
    return {};
  }
}

/** Whether a program is on PATH. */
export function onPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(`${folder}/${program}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What set-up needs to know about the machine it runs on. */
export function inspectHost() {
  const { ID: id, ID_LIKE: like = '', VERSION_CODENAME: suite } = osRelease();
  return {
    /** Whether package names and tools are Debian's, as on its derivatives. */
    hasApt: (id === 'debian' || like.split(' ').includes('debian')) && onPath('apt-get') && onPath('dpkg-deb'),
    isDebian: id === 'debian',
    isRoot: process.getuid?.() === 0,
    suite,
  };
}
