import { readdirSync, readFileSync } from 'node:fs';

const folder = '/etc/apt/sources.list.d';

export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** A file of keys; absent: apt's own trusted keys. */
  readonly signedBy: string | undefined;
}

/** One-line format, sources.list(5): `deb [options] uri suite component…`. */
export function parseListFile(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
    if (match === null) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/.exec(options)?.[1];
    return [{ uris: [uri], suites: [suite], components: components.trim().split(/\s+/), signedBy }];
  });
}

/** deb822 format, sources.list(5): stanzas of fields; indented lines continue a field. */
export function parseSourcesFile(text: string): AptSource[] {
  const bare = text.replace(/^#.*\n/gm, '');
  return bare.split(/\n(?:[ \t]*\n)+/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    for (const [, name = '', value = ''] of stanza.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
      fields.set(name.toLowerCase(), value.trim());
    }
    const words = (name: string) => fields.get(name)?.split(/\s+/) ?? [];
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

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function filesOf(): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function allSources(): AptSource[] {
  const names = filesOf();
  return [
    ...parseListFile(read('/etc/apt/sources.list')),
    ...names.filter((name) => name.endsWith('.list')).flatMap((name) => parseListFile(read(`${folder}/${name}`))),
    ...names.filter((name) => name.endsWith('.sources')).flatMap((name) => parseSourcesFile(read(`${folder}/${name}`))),
  ];
}

export interface AptMirror {
  readonly uri: string;
  readonly signedBy: string | undefined;
}

/** The mirror this machine takes its own Debian suite from. */
export function findMirror(suite: string, sources: readonly AptSource[] = allSources()): AptMirror | undefined {
  const source = sources.find(({ suites, components }) => suites.includes(suite) && components.includes('main'));
  const uri = source?.uris[0];
  return uri === undefined ? undefined : { uri, signedBy: source?.signedBy };
}
