import { readFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HarnessError, systemErrorText } from '../model/errors.ts';
import * as knownFacts from '../model/known-facts.ts';
import type { Matrix } from './matrix.ts';
import { parseMatrix } from './parse-matrix.ts';
import { resolvePaths } from './resolve-paths.ts';

const moduleExtensions = ['.ts', '.mts', '.js', '.mjs'];

/** Whether reading this matrix runs it. */
export const isMatrixProgram = (file: string): boolean => moduleExtensions.includes(extname(file));

function badFile(file: string, problem: string, hint: string, cause?: unknown): HarnessError {
  return new HarnessError('bad-matrix', `${file}: ${problem}`, { hint, details: { file }, cause });
}

/** V8 reports an offset or quotes the place; people and editors count lines. */
function jsonProblem(text: string, message: string): string {
  const offset = /at position (\d+)/.exec(message)?.[1];
  if (offset === undefined) return message.replace(/\s+/g, ' ');
  const lines = text.slice(0, Number(offset)).split('\n');
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}: ${message.replace(/ (in JSON )?at position .*/s, '')}`;
}

async function readJson(file: string, text: string): Promise<unknown> {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badFile(file, `not valid JSON: ${jsonProblem(text, (cause as Error).message)}`, 'Correct the JSON.', cause);
  }
}

/** Makes `import { defineMatrix } from 'netboot-harness'` resolve to this package, wherever the file lies. */
async function publicFace(): Promise<unknown> {
  return import(new URL(`../index${extname(fileURLToPath(import.meta.url))}`, import.meta.url).href);
}

async function importModule(file: string, path: string): Promise<unknown> {
  // Only matrices in TypeScript or JavaScript need it, and it is slow to load.
  const { createJiti } = await import('jiti');
  const jiti = createJiti(import.meta.url, {
    fsCache: false,
    moduleCache: false,
    interopDefault: false,
    virtualModules: { 'netboot-harness': await publicFace(), 'netboot-harness/facts': knownFacts },
  });
  let module: { default?: unknown };
  try {
    module = await jiti.import<{ default?: unknown }>(path);
  } catch (cause) {
    const [message] = String(cause instanceof Error ? cause.message : cause).split('\n');
    const kind =
      cause instanceof Error && /Syntax|Parse/.test(cause.name + cause.message) ? 'syntax error' : 'loading it failed';
    throw badFile(
      file,
      `${kind}: ${message}`,
      'A matrix file may only import netboot-harness and its own data.',
      cause,
    );
  }
  if (module.default === undefined) {
    throw badFile(file, 'no default export', 'End it with: export default defineMatrix({ name, groups });');
  }
  return module.default;
}

/**
 * Reads a matrix from a JSON, TypeScript or JavaScript file. File names in it are relative to it.
 * Throws `bad-matrix` for anything wrong with it, naming the file as given.
 */
export async function loadMatrix(file: string): Promise<Matrix> {
  const path = resolve(file);
  const extension = extname(file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = code === 'EISDIR' ? 'expected a file, saw a folder' : systemErrorText(cause as Error);
    throw badFile(file, problem, 'Give --matrix the path of a matrix file.', cause);
  }
  if (extension !== '.json' && !isMatrixProgram(file)) {
    throw badFile(file, `expected a .json, ${moduleExtensions.join(', ')} file, saw "${extension}"`, 'Rename it.');
  }
  const value = extension === '.json' ? await readJson(file, text) : await importModule(file, path);
  return resolvePaths(parseMatrix(value, file), dirname(path));
}
