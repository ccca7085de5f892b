import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import { unpackBundle } from '../run/bundle/unpack-bundle.ts';

/** A run or case as the user named it: a directory, or a bundle. */
export interface OpenedRecord {
  /** As the user named it. */
  source: string;
  /** Where its files are; of a bundle, a private folder that is removed afterwards. */
  directory: string;
  isBundle: boolean;
}

const isBundle = (path: string): boolean =>
  path.toLowerCase().endsWith('.zip') && (statSync(path, { throwIfNoEntry: false })?.isFile() ?? false);

/** An error about a bundle's file, with the bundle's name in place of the folder it was unpacked into. */
function named(error: unknown, { directory, source }: OpenedRecord): unknown {
  if (!(error instanceof HarnessError)) return error;
  const { code, message, hint, details, cause } = error;
  const name = (text: string) => text.replaceAll(`${directory}/`, `${source}: `).replaceAll(directory, source);
  return new HarnessError(code, name(message), { ...(hint !== undefined && { hint: name(hint) }), details, cause });
}

/** Calls `use` with a run or case, from a bundle too. */
export async function withRecord<T>(source: string, use: (record: OpenedRecord) => T | Promise<T>): Promise<T> {
  if (!isBundle(source)) return use({ source, directory: source, isBundle: false });
  await using bundle = await unpackBundle(resolve(source));
  const record = { source, directory: bundle.directory, isBundle: true };
  try {
    return await use(record);
  } catch (error) {
    throw named(error, record);
  }
}
