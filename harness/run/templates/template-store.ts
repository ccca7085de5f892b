import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { removeIfKilled } from '../../os/temporary-folder.ts';
import type { Moment } from '../../plan/early-machine.ts';
import { readTemplate, type Template } from './template.ts';
import type { TemplateKey } from './template-id.ts';

/** How a guest is to start. */
export type Claim =
  | ({ start: 'cold' } & Release)
  /** Leaves a template in `folder`, and says `made` when it is whole; or `postpone`, and the next one to claim it makes it. */
  | ({ start: 'make'; folder: string; made(): void; postpone(): void } & TemplateKey & Release)
  /** `refuse` if it turns out not to fit: nobody starts from it again. */
  | ({ start: 'restore'; template: Template; refuse(): void } & Release);

interface Release {
  /** The files are not needed any more, or never will be written. May be called again. */
  release(): void;
}

/** Templates of the cases of a run, in a folder shared with other runs. */
export interface TemplateStore {
  readonly latest: Moment;
  /** One more guest will claim this template. */
  expect(key: TemplateKey): void;
  /** Waits while the template is being made, since that is always sooner than booting as far. */
  claim(key: TemplateKey): Promise<Claim>;
  /** Removes what this run made, unless templates are kept. */
  close(): void;
}

export interface TemplateStoreOptions {
  folder: string;
  /** Disk space for all templates, in bytes; the least recently used give way. */
  limitBytes: number;
  /** Whether templates outlive the run. */
  keep: boolean;
  /** The latest moment to save a machine at. */
  latest: Moment;
}

/** Disk space for templates where the user gives none: kept ones of the default matrix take 4.5 GB. */
export const defaultTemplatesMiB = 8192;

const blockBytes = 512;
/** What a run was making or removing when its host failed is left alone for this long, in case it still does. */
const abandonedMs = 3_600_000;
const unfinished = /\.part$/;

function diskBytes(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).blocks * blockBytes, 0);
}

/** Renamed first, so that nobody finds half of it. */
function remove(folder: string): void {
  const gone = `${folder}.${randomBytes(4).toString('hex')}.part`;
  try {
    renameSync(folder, gone);
    rmSync(gone, { recursive: true, force: true });
  } catch {
    // Another run removed it.
  }
}

interface Stored {
  path: string;
  usedAtMs: number;
  bytes: number;
}

/** Templates in the folder; what was abandoned unfinished is removed. */
function stored(folder: string): Stored[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    try {
      const usedAtMs = statSync(path).mtimeMs;
      if (!unfinished.test(name)) return [{ path, usedAtMs, bytes: diskBytes(path) }];
      if (Date.now() - usedAtMs > abandonedMs) rmSync(path, { recursive: true, force: true });
    } catch {
      // Removed meanwhile.
    }
    return [];
  });
}

/** Count and size of the templates in a folder. */
export function storedTemplates(folder: string): { count: number; bytes: number } {
  try {
    const all = stored(folder);
    return { count: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) };
  } catch {
    return { count: 0, bytes: 0 };
  }
}

function makeRoom(folder: string, limitBytes: number): void {
  const all = stored(folder).sort((a, b) => a.usedAtMs - b.usedAtMs);
  let bytes = all.reduce((sum, one) => sum + one.bytes, 0);
  for (const one of all) {
    if (bytes <= limitBytes) return;
    remove(one.path);
    bytes -= one.bytes;
  }
}

const cold: Claim = { start: 'cold', release: () => {} };

/** Counts by id. */
function tally() {
  const counts = new Map<string, number>();
  const of = (id: string): number => counts.get(id) ?? 0;
  return { of, add: (id: string, by: 1 | -1) => void counts.set(id, Math.max(0, of(id) + by)) };
}

export function openTemplateStore({ folder, limitBytes, keep, latest }: TemplateStoreOptions): TemplateStore {
  const expected = tally();
  const inUse = tally();
  const making = new Map<string, Promise<void>>();
  const unmakable = new Set<string>();
  const own = new Set<string>();
  const pathOf = (id: string): string => join(folder, id);

  /** The last guest of a machine takes its template with it. */
  function settle(id: string): void {
    if (!keep && expected.of(id) === 0 && inUse.of(id) === 0 && own.delete(id)) remove(pathOf(id));
  }

  function publish(id: string, part: string): void {
    try {
      renameSync(part, pathOf(id));
      own.add(id);
      makeRoom(folder, limitBytes);
    } catch {
      // Another run was faster.
      rmSync(part, { recursive: true, force: true });
    }
  }

  function make({ id, moment }: TemplateKey): Claim {
    const part = `${pathOf(id)}.${randomBytes(4).toString('hex')}.part`;
    const unfinished = removeIfKilled(part);
    let wake = (): void => {};
    making.set(
      id,
      new Promise((resolve) => {
        wake = resolve;
      }),
    );
    let isOver = false;
    const end = (act: () => void): void => {
      // Another one may be making it by now.
      if (isOver) return;
      isOver = true;
      making.delete(id);
      act();
      wake();
    };
    const postpone = (): void => {
      rmSync(part, { recursive: true, force: true });
      void unfinished.remove();
    };
    const giveUp = (): void => {
      unmakable.add(id);
      postpone();
    };
    const finish = (): void => {
      publish(id, part);
      void unfinished.keep();
    };
    try {
      mkdirSync(part, { recursive: true });
    } catch {
      end(giveUp);
      return cold;
    }
    return {
      ...{ start: 'make', id, moment, folder: part },
      made: () => end(finish),
      postpone: () => end(postpone),
      release: () => end(giveUp),
    };
  }

  function restore(id: string): Claim | undefined {
    const template = readTemplate(id, pathOf(id));
    if (template === undefined) return undefined;
    touch(pathOf(id));
    inUse.add(id, 1);
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      inUse.add(id, -1);
      settle(id);
    };
    const refuse = (): void => {
      unmakable.add(id);
      remove(pathOf(id));
    };
    return { start: 'restore', template, release, refuse };
  }

  return {
    latest,
    expect: ({ id }) => expected.add(id, 1),
    async claim(key) {
      const { id } = key;
      expected.add(id, -1);
      while (making.has(id)) await making.get(id);
      if (unmakable.has(id)) return cold;
      return restore(id) ?? (expected.of(id) > 0 || keep ? make(key) : cold);
    },
    close() {
      if (keep) return;
      for (const id of own) remove(pathOf(id));
    },
  };
}

/** Marks it as used now. */
function touch(folder: string): void {
  const now = new Date();
  try {
    utimesSync(folder, now, now);
  } catch {
    // Read-only, or gone.
  }
}
