import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { writeWhole } from './write-whole.ts';

/** Facts that are slow to find out, by key; kept across runs if there is a file. */
export interface JsonCache<Fact> {
  get(key: string): Fact | undefined;
  set(key: string, fact: Fact): void;
  all(): Fact[];
  /** Writes the file, if there is one and there are new facts. Write failures are ignored: they only cost time. */
  save(): Promise<void>;
}

export interface JsonCacheFile<Fact> {
  /** Undefined: kept in memory only. */
  readonly file: string | undefined;
  /** Bumped whenever the meaning of the facts changes, so that old ones are dropped. */
  readonly version: number;
  /** A stored fact that does not match is found out again. */
  readonly schema: z.ZodType<Fact>;
}

/** A file that is absent, truncated, of another version or no cache at all reads as empty. */
function read(file: string | undefined, version: number): Map<string, unknown> {
  try {
    if (file === undefined) return new Map();
    const stored = JSON.parse(readFileSync(file, 'utf8')) as { version: unknown; entries: Record<string, unknown> };
    return new Map(stored.version === version ? Object.entries(stored.entries) : []);
  } catch {
    return new Map();
  }
}

export function openJsonCache<Fact>({ file, version, schema }: JsonCacheFile<Fact>): JsonCache<Fact> {
  let stored: Map<string, unknown> | undefined;
  const learnt = new Map<string, Fact>();
  let unsaved = false;
  let saving = Promise.resolve();

  async function write(to: string): Promise<void> {
    if (!unsaved) return;
    unsaved = false;
    // Read again: another run may have added facts since.
    const entries = Object.fromEntries([...read(to, version), ...learnt]);
    await writeWhole(to, JSON.stringify({ version, entries })).catch(() => {
      unsaved = true;
    });
  }

  function get(key: string): Fact | undefined {
    const fresh = learnt.get(key);
    if (fresh !== undefined) return fresh;
    stored ??= read(file, version);
    const fact = schema.safeParse(stored.get(key));
    return fact.success ? fact.data : undefined;
  }

  return {
    get,
    all() {
      stored ??= read(file, version);
      return [...new Set([...stored.keys(), ...learnt.keys()])].flatMap((key) => get(key) ?? []);
    },
    set(key, fact) {
      learnt.set(key, fact);
      unsaved = true;
    },
    async save() {
      if (file === undefined) return;
      saving = saving.then(() => write(file));
      await saving;
    },
  };
}
