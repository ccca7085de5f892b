import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const house = fileURLToPath(new URL('../../harness/', import.meta.url));
/** Of values; types are gone when the program runs, and a call of import() loads only when it is reached. */
const loads = /^(?:import|export)(?! type\b)[^;]*?from '([^']+)';|^import '([^']+)';/gm;

/** Every module that loading one loads. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, from, plain] of readFileSync(file, 'utf8').matchAll(loads)) {
    const specifier = (from ?? plain) as string;
    if (!specifier.startsWith('.')) seen.add(specifier);
    else if (existsSync(resolve(dirname(file), specifier))) loadedBy(resolve(dirname(file), specifier), seen);
  }
  return seen;
}

const ofFarm = (modules: Iterable<string>) =>
  [...modules].filter((name) => name.startsWith(`${house}farm/`) || ['bullmq', 'ioredis'].includes(name));

const commands = readdirSync(`${house}cli/commands`).map((name) => `cli/commands/${name}`);

it.each(['cli/main.ts', 'index.ts', 'vitest/index.ts', ...commands])('%s loads nothing of the farm', (name) => {
  const loaded = loadedBy(`${house}${name}`);
  expect(loaded.size).toBeGreaterThan(2);
  expect(ofFarm(loaded)).toEqual([]);
});

it('a worker does load it', () => {
  expect(ofFarm(loadedBy(`${house}cli/serve-as-worker.ts`))).toEqual(expect.arrayContaining(['bullmq', 'ioredis']));
});
