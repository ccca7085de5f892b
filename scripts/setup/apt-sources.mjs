import { readdirSync, readFileSync } from 'node:fs';

const folder = '/etc/apt/sources.list.d';

/** One-line format, sources.list(5): `deb [options] uri suite component…`. */
export function parseListFile(text) {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (match === null) return [];
    const [, options = '', uri, suite, components] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
    return [{ uris: [uri], suites: [suite], components: components.trim().split(/\s+/), signedBy }];
  });
}

/** deb822 format, sources.list(5): stanzas of fields; indented lines continue a field. */
export function parseSourcesFile(text) {
  const bare = text.replace(/^#.*\n/gm, '');
  return bare.split(/\n(?:[ \t]*\n)+/).flatMap((stanza) => {
    const fields = new Map();
    for (const [, name, value] of stanza.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set(name.toLowerCase(), value.trim());
    }
    const words = (name) => fields.get(name)?.split(/\s+/) ?? [];
    if (!words('types').includes('deb') || fields.get('enabled')?.toLowerCase() === 'no') return [];
    const signedBy = fields.get('signed-by');
    return [
      {
        uris: words('uris'),
        suites: words('suites'),
        components: words('components'),
        // An embedded key is not a path: then apt's own trusted keys are used.
        signedBy: signedBy?.startsWith('/') ? signedBy.split(/\s+/)[0] : undefined,
      },
    ];
  });
}

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function allSources() {
  let names = [];
  try {
    names = readdirSync(folder).sort();
  } catch {}
  return [
    ...parseListFile(read('/etc/apt/sources.list')),
    ...names.filter((name) => name.endsWith('.list')).flatMap((name) => parseListFile(read(`${folder}/${name}`))),
    ...names.filter((name) => name.endsWith('.sources')).flatMap((name) => parseSourcesFile(read(`${folder}/${name}`))),
  ];
}

/** The mirror this machine takes its own Debian suite from: `{uri, signedBy}`, or undefined. */
export function findMirror(suite, sources = allSources()) {
  const source = sources.find(({ suites, components }) => suites.includes(suite) && components.includes('main'));
  return source === undefined ? undefined : { uri: source.uris[0], signedBy: source.signedBy };
}
