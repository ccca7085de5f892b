import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { writeWhole } from './write-whole.ts';

/** Facts that took time to learn, by key; with a file, kept across runs. */
export interface JsonCache<Fact> {
  get(key: string): Fact | undefined;
  set(key: string, fact: Fact): void;
  all(): Fact[];
  /** Writes the file, if there is one and something new was learnt. A failure to write is ignored: only time is lost. */
  save(): Promise<void>;
}

export interface JsonCacheFile<Fact> {
  /** Undefined: nothing outlives this process. */
  readonly file: string | undefined;
  /** Raised with every change of what the facts mean, so that old ones are dropped. */
  readonly version: number;
  /** A stored fact that does not match is learnt anew. */
  readonly schema: z.ZodType<Fact>;
}

/** A file that is absent, torn, of another version or not a cache at all holds nothing. */
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
    // Read again: another run may have learnt something since.
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
