import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a group is declared: a file, and its line from 1. */
export interface GroupPlace {
  file: string;
  line: number;
}

/** Sources of a matrix, with their lines; of a folder, its TypeScript files. */
function sourcesOf(path: string): { file: string; lines: string[] }[] {
  try {
    const files = statSync(path).isDirectory()
      ? readdirSync(path).flatMap((name) => (name.endsWith('.ts') ? [join(path, name)] : []))
      : [path];
    return files.sort().map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n') }));
  } catch {
    // A place is a courtesy; where the sources are not shipped there is none.
    return [];
  }
}

/** Finds where groups are declared in a matrix file, or in the files of a folder: by `name: 'GROUP'`, as text. */
export function groupLocator(path: string): (group: string) => GroupPlace | undefined {
  let sources: ReturnType<typeof sourcesOf> | undefined;
  return (group) => {
    sources ??= sourcesOf(path);
    const declared = new RegExp(`\\bname['"]?\\s*:\\s*['"\`]${group.replace(/\W/g, '\\$&')}['"\`]`);
    for (const { file, lines } of sources) {
      const index = lines.findIndex((line) => declared.test(line));
      if (index >= 0) return { file, line: index + 1 };
    }
    return undefined;
  };
}
