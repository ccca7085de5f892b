import { copyFile, open } from 'node:fs/promises';

export interface PatchedCopy {
  path: string;
  patch: readonly { offset: number; ascii: string }[];
  /** A shorter file is extended with zeros. */
  leastBytes?: number;
}

/** Copies a file, with some of its bytes replaced, for a guest that may write to it. */
export async function copyPatched({ path, patch, leastBytes = 0 }: PatchedCopy, to: string): Promise<void> {
  await copyFile(path, to);
  const file = await open(to, 'r+');
  try {
    const { size } = await file.stat();
    if (size < leastBytes) await file.truncate(leastBytes);
    for (const { offset, ascii } of patch) await file.write(Buffer.from(ascii, 'latin1'), 0, undefined, offset);
  } finally {
    await file.close();
  }
}
