import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { HarnessError, systemErrorText } from '../../model/errors.ts';

/** No ROM, EFI image, kernel or flash image is larger. */
const maxFileBytes = 256 * 1024 * 1024;
/** How much of a larger file is read: enough for the signature of a disk or ISO image. */
const headBytes = 64 * 1024;

function refuse(path: string, why: string, cause?: unknown): HarnessError {
  return new HarnessError('bad-file', `cannot inspect ${path}: ${why}`, {
    hint: 'Give a readable ROM, EFI image, kernel, network boot program or firmware image.',
    details: { path },
    cause,
  });
}

async function withRegularFile<T>(path: string, read: (handle: FileHandle, bytes: number) => Promise<T>): Promise<T> {
  try {
    // Opening a pipe without a writer would block.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw refuse(path, 'not a regular file');
      return await read(handle, found.size);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    throw refuse(path, systemErrorText(error as Error), error);
  }
}

/** A whole file. Rejects with HarnessError `bad-file` where it cannot be read or is too large. */
export function readBounded(path: string): Promise<Buffer> {
  return withRegularFile(path, (handle, bytes) => {
    if (bytes > maxFileBytes) throw refuse(path, `${bytes} bytes, over the limit of ${maxFileBytes}`);
    return handle.readFile();
  });
}

/** A file, or only its beginning where it is too large to be inspected; `bytes` is the whole file's length. */
export function readForInspection(path: string): Promise<{ read: Buffer; bytes: number; whole: boolean }> {
  return withRegularFile(path, async (handle, bytes) => {
    if (bytes <= maxFileBytes) return { read: await handle.readFile(), bytes, whole: true };
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return { read: buffer.subarray(0, bytesRead), bytes, whole: false };
  });
}
