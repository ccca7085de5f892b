import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HarnessError } from '../model/errors.ts';
import { putWhole } from '../os/write-whole.ts';

/** Content, by what it is and not where. */
export interface Content {
  sha256: string;
  bytes: number;
}

/** Where the machines of a farm leave files for each other. */
export interface FileStore {
  /** Does nothing if the content is there. */
  put(content: Content, path: string): Promise<void>;
  /** Rejects with `farm-failed` if it is not there, or is not what its name says. */
  get(content: Content, to: string): Promise<void>;
  remove(sha256: string): Promise<void>;
}

export const notStored = ({ sha256 }: Content, why: string, cause?: unknown): HarnessError =>
  new HarnessError('farm-failed', `the file with SHA-256 ${sha256} cannot be had from the farm: ${why}`, {
    hint: 'Run the case again: its files are sent again.',
    cause,
  });

/** Writes a stream that must be this content, and not a byte more. */
export async function writeChecked(
  { sha256, bytes }: Content,
  source: NodeJS.ReadableStream | AsyncIterable<Buffer>,
  to: string,
): Promise<void> {
  const hash = createHash('sha256');
  let seen = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _, done) {
      seen += chunk.length;
      if (seen > bytes) return done(notStored({ sha256, bytes }, `it is longer than ${bytes} bytes`));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await putWhole(to, async (unfinished) => {
    await pipeline(source, meter, createWriteStream(unfinished, { flags: 'wx', mode: 0o600 }));
    if (seen !== bytes || hash.digest('hex') !== sha256)
      throw notStored({ sha256, bytes }, 'its content is not what its name says');
  });
}

/** A folder that all machines see. */
export function openFolderStore(folder: string): FileStore {
  const at = (sha256: string) => join(folder, sha256.slice(0, 2), sha256);
  return {
    async put({ sha256 }, path) {
      if (existsSync(at(sha256))) return;
      await putWhole(at(sha256), (unfinished) => copyFile(path, unfinished)).catch((cause: Error) => {
        throw new HarnessError('disk', `--store ${folder}: ${path} cannot be copied to it: ${cause.message}`, {
          hint: 'Make room there, or name a folder that all machines can write to.',
          cause,
        });
      });
    },
    async get(content, to) {
      if (!existsSync(at(content.sha256))) throw notStored(content, `it is not in ${folder}`);
      await writeChecked(content, createReadStream(at(content.sha256)), to);
    },
    remove: (sha256) => rm(at(sha256), { force: true }),
  };
}
