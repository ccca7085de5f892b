import { resolve } from 'node:path';
import type { Group, Matrix } from './matrix.ts';

/** Keys under which a matrix names files of the host; everything else stays as it is. */
const groupKeys = [
  'firmware',
  'rom',
  'secondStage',
  'kernel',
  'initrd',
  'serve',
  'boots',
  'provisioner',
  'expectations',
  'exclude',
] as const;
const fileKeys: readonly string[] = ['file', 'code', 'vars', 'path'];

/** A program by path; by name it is looked up like a shell's. */
const isPathOfProgram = (key: string, value: unknown): value is string[] =>
  key === 'command' && Array.isArray(value) && typeof value[0] === 'string' && value[0].includes('/');

/** A provisioner's folder may also be one that the harness makes. */
const isPath = (key: string, value: unknown): value is string =>
  typeof value === 'string' && (fileKeys.includes(key) || (key === 'cwd' && !value.startsWith('{{')));

function resolveIn(value: unknown, directory: string): unknown {
  if (Array.isArray(value)) return value.map((item) => resolveIn(item, directory));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, inner]) => {
    if (isPathOfProgram(key, inner)) return [key, [resolve(directory, inner[0] as string), ...inner.slice(1)]];
    return [key, isPath(key, inner) ? resolve(directory, inner) : resolveIn(inner, directory)];
  });
  return Object.fromEntries(entries);
}

/** Files named in a matrix are relative to the matrix file, wherever the command is run. */
export function resolvePaths(matrix: Matrix, directory: string): Matrix {
  const groups = matrix.groups.map((group): Group => {
    const given = groupKeys.filter((key) => group[key] !== undefined);
    return { ...group, ...Object.fromEntries(given.map((key) => [key, resolveIn(group[key], directory)])) };
  });
  return { ...matrix, groups };
}
