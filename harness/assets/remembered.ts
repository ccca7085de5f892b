import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Facts that took time to learn, by key; with a file, kept across runs. */
export interface Remembered<Fact> {
  get(key: string): Fact | undefined;
  set(key: string, fact: Fact): void;
  /** Writes the file, where there is one and something new was learnt. A failure to write is ignored. */
  save(): Promise<void>;
}

export interface RememberedFile<Fact> {
  /** Undefined: for this process alone. */
  readonly file: string | undefined;
  /** Raised with every change of what the facts mean, so that old ones are dropped. */
  readonly version: number;
  /** A kept fact that does not pass is learnt anew. */
  readonly isFact: (value: unknown) => value is Fact;
}

function read(file: string | undefined, version: number): Map<string, unknown> {
  try {
    if (file === undefined) return new Map();
    const kept = JSON.parse(readFileSync(file, 'utf8')) as { version: unknown; entries: Record<string, unknown> };
    return new Map(kept.version === version ? Object.entries(kept.entries) : []);
  } catch {
    // Absent, torn or something else altogether: nothing is remembered.
    return new Map();
  }
}

export function openRemembered<Fact>({ file, version, isFact }: RememberedFile<Fact>): Remembered<Fact> {
  let entries: Map<string, unknown> | undefined;
  let learnt = false;
  const known = () => {
    entries ??= read(file, version);
    return entries;
  };
  return {
    get(key) {
      const fact = known().get(key);
      return isFact(fact) ? fact : undefined;
    },
    set(key, fact) {
      known().set(key, fact);
      learnt = true;
    },
    async save() {
      if (file === undefined || !learnt) return;
      const part = `${file}.${process.pid}.part`;
      try {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(part, JSON.stringify({ version, entries: Object.fromEntries(known()) }));
        await rename(part, file);
        learnt = false;
      } catch {
        // Only time is lost: the next run learns it again.
      }
    },
  };
}
