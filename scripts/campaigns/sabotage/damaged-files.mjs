// Damaged copies of files, made once per campaign.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The first half of a file, like an interrupted copy. */
const firstHalf = (content) => content.subarray(0, content.length >> 1);

/** The same length, by which firmware is mapped; the second half of what is not padding is erased. */
function halfErased(content) {
  const padding = content[content.length - 1] === 0xff ? 0xff : 0;
  let end = content.length;
  // Zeros fill up the flash behind a volume, which ends in erased bytes itself.
  while (end > 0 && (content[end - 1] === 0 || content[end - 1] === 0xff)) end--;
  return Buffer.concat([content.subarray(0, end >> 1), Buffer.alloc(content.length - (end >> 1), padding)]);
}

/** `folder` keeps the copies, to which the campaign's records refer. */
export function damagedFiles(folder) {
  const copyOf = (path, kind, damage) => {
    const name = `${createHash('sha256').update(path).digest('hex').slice(0, 12)}-${kind}-${basename(path)}`;
    const copy = join(folder, name);
    if (!existsSync(copy)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${copy}.part`, damage(readFileSync(path)));
      renameSync(`${copy}.part`, copy);
    }
    return copy;
  };
  return {
    /** A folder is left as it is: files fetched from it have names of their own. */
    truncated: (path) => (statSync(path).isDirectory() ? path : copyOf(path, 'truncated', firstHalf)),
    halfErased: (path) => copyOf(path, 'half-erased', halfErased),
    blank: (path) => copyOf(path, 'blank', (content) => Buffer.alloc(content.length)),
  };
}
