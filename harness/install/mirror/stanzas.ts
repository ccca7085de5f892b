/** Fields of a control stanza (deb822(5)), by lower-case name; continuation lines are kept with their line feeds. */
export type Stanza = ReadonlyMap<string, string>;

export function parseStanza(text: string): Stanza {
  const fields = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(/^([\w-]+):((?:.*)(?:\n[ \t].*)*)/gm)) {
    fields.set(name.toLowerCase(), value.trim());
  }
  return fields;
}

/** Stanzas of a file, split at empty lines. */
export const parseStanzas = (text: string): Stanza[] => text.split(/\n\n+/).filter(Boolean).map(parseStanza);
