import type { Patch } from '../../model/scenario.ts';
import type { ServedEntry } from './served-entry.ts';

/** The same file with bytes replaced as they are read; patches past its end are ignored. */
export function patchedEntry(entry: ServedEntry, patch: Patch): ServedEntry {
  const pieces = patch.map(({ offset, ascii }) => ({ offset, bytes: Buffer.from(ascii, 'latin1') }));

  const overlay = (start: number, copied: number, target: Buffer, at: number): number => {
    for (const { offset, bytes } of pieces) {
      const from = Math.max(start, offset);
      const to = Math.min(start + copied, offset + bytes.length);
      if (from < to) bytes.copy(target, at + from - start, from - offset, to - offset);
    }
    return copied;
  };

  return {
    ...entry,
    read(offset, length, target, at = 0) {
      const copied = entry.read(offset, length, target, at);
      return typeof copied === 'number'
        ? overlay(offset, copied, target, at)
        : copied.then((count) => overlay(offset, count, target, at));
    },
  };
}
