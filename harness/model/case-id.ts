import { z } from 'zod';

/** A directory name may have 255 bytes; a case directory's gets an attempt suffix. */
export const idMaxLength = 200;

/** Starts with a letter or digit and is one path component on any host: ids name directories. */
const idPattern = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/;
const idRule = 'an id is a letter or digit, then letters, digits, ".", "_", "@", "+" or "-"';

/** The id of a cell. */
export const cellIdSchema = z.string().max(idMaxLength).regex(idPattern, idRule);

/** The id of a case: its cell's, with `~2`, `~3`, … for repeats. */
export const caseIdSchema = z
  .string()
  .max(idMaxLength + 10)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@+-]*(~[0-9]+)?$/, `${idRule}; a repeat's ends in ~2, ~3, …`);

/** A directory below the run's, as results.json names it. */
export const caseDirectorySchema = z
  .string()
  .max(1000)
  .regex(/^(?!\.)[A-Za-z0-9._@+~-]+(\/(?!\.)[A-Za-z0-9._@+~-]+)*$/, 'a directory is a relative path below the run');

/** The id of a cell's nth repeat; the first keeps the cell's own. Never parsed: results carry the round as data. */
export const repeatId = (cell: string, round: number): string => (round === 1 ? cell : `${cell}~${round}`);
