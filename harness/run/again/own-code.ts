import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const house = fileURLToPath(new URL('../..', import.meta.url));
let digest: string | undefined;

/** SHA-256 over the harness's own running code: a record depends on its rules, plans and servers too. */
export function ownCodeDigest(): string {
  if (digest !== undefined) return digest;
  const hash = createHash('sha256');
  const files = readdirSync(house, { recursive: true, encoding: 'utf8' });
  for (const name of files.filter((file) => /\.[jt]s$/.test(file) && !file.endsWith('.d.ts')).sort()) {
    hash
      .update(name)
      .update('\0')
      .update(readFileSync(join(house, name)))
      .update('\0');
  }
  digest = hash.digest('hex');
  return digest;
}
