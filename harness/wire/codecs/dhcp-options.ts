const pad = 0;
const overload = 52;
const end = 255;

/** Option bytes by code, in order of first appearance. */
export type OptionMap = ReadonlyMap<number, Buffer>;

type Collected = { options: Map<number, Buffer> } | { malformed: string };

/**
 * Walks one options field (RFC 2132 §2) and appends to `fragments`. A field may end without the end
 * option; an option that runs past the field is malformed.
 */
function walk(field: Buffer, name: string, fragments: Map<number, Buffer[]>): string | null {
  for (let at = 0; at < field.length; ) {
    const code = field[at++] as number;
    if (code === end) return null;
    if (code === pad) continue;
    const length = field[at++];
    if (length === undefined) return `option ${code} in ${name} has no length byte`;
    if (at + length > field.length) {
      return `option ${code} in ${name} has length ${length}, but only ${field.length - at} left`;
    }
    const value = field.subarray(at, at + length);
    const known = fragments.get(code);
    if (known) known.push(value);
    else fragments.set(code, [value]);
    at += length;
  }
  return null;
}

/**
 * All options of a message: the options field, then `file`, then `sname` if option 52 says so
 * (RFC 2131 §4.1); repeated options are joined in that order (RFC 3396 §5).
 */
export function collectOptions(optionField: Buffer, file: Buffer, sname: Buffer): Collected {
  const fragments = new Map<number, Buffer[]>();
  const broken = walk(optionField, 'options', fragments);
  if (broken) return { malformed: broken };
  const overloaded = overloadOf(fragments.get(overload)?.[0]);
  const brokenToo =
    (overloaded.file ? walk(file, 'file', fragments) : null) ??
    (overloaded.sname ? walk(sname, 'sname', fragments) : null);
  if (brokenToo) return { malformed: brokenToo };
  const options = new Map<number, Buffer>();
  // A copy: the datagram's buffer is valid only during the call.
  for (const [code, parts] of fragments) options.set(code, Buffer.concat(parts));
  return { options };
}

/** Option 52 (RFC 2132 §9.3): 1 file, 2 sname, 3 both. */
export function overloadOf(option: Buffer | undefined): { file: boolean; sname: boolean } {
  const value = option?.length === 1 ? (option[0] as number) : 0;
  return { file: value === 1 || value === 3, sname: value === 2 || value === 3 };
}

/** Encapsulated sub-options: option 43 of PXE clients and servers, option 175 of iPXE. Null: malformed. */
export function parseEncapsulated(option: Buffer): OptionMap | null {
  const fragments = new Map<number, Buffer[]>();
  if (walk(option, 'encapsulation', fragments)) return null;
  return new Map([...fragments].map(([code, parts]) => [code, Buffer.concat(parts)]));
}

/** Option 77: RFC 3004's counted strings, or the bare string that iPXE and PXE ROMs send as one class. */
export function parseUserClasses(option: Buffer): string[] {
  const classes: string[] = [];
  for (let at = 0; at < option.length; ) {
    const length = option[at++] as number;
    if (length === 0 || at + length > option.length) return [textOf(option)];
    classes.push(textOf(option.subarray(at, at + length)));
    at += length;
  }
  return classes;
}

/** Text up to the first NUL; bytes above 127 stay visible as Latin-1. */
export function textOf(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return bytes.toString('latin1', 0, nul === -1 ? bytes.length : nul);
}

/** Dotted quad of a four-byte option; undefined if it has another length. */
export function ipOf(option: Buffer | undefined): string | undefined {
  return option?.length === 4 ? option.join('.') : undefined;
}
