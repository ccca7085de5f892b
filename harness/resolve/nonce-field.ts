import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { NonceField } from '../model/resolved.ts';
import { NotHere } from './resolving.ts';

const schema = z.object({
  nonce: z.object({ offsets: z.array(z.int().nonnegative()).min(1), bytes: z.int().positive() }),
});

/** Where a probe program takes the run's nonce, from the JSON file that its build leaves next to it. */
export async function nonceFieldOf(path: string): Promise<NonceField> {
  const sidecar = path.replace(/\.[^./]*$/, '.json');
  const needed = `${path} is patched with the run's nonce, and needs ${sidecar} to say where`;
  const text = await readFile(sidecar, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new NotHere(`${needed}, which cannot be read (${error.code ?? error.message})`);
  });
  try {
    return schema.parse(JSON.parse(text)).nonce;
  } catch {
    throw new NotHere(`${needed}: expected { "nonce": { "offsets": [number], "bytes": number } } in it`);
  }
}
