import { tableBounds } from '../../model/bounds.ts';
import type { StreamWindow } from './stream-window.ts';

/** A file that comes by HTTP, and how much of it was sent to the guest. */
export interface PartFile {
  readonly totalBytes: number;
  /** Its first bytes, for what kind of file it is. */
  readonly head: StreamWindow | undefined;
  sentBytes: number;
}

/**
 * What a guest has of files. It may ask for the rest of one on another connection (RFC 9110 §14.2), as UEFI HTTP boot does
 * since 2024: the file is delivered when that is. By asking it says that it has what is before; its ACKs may be lost with
 * the link, but it can have no more than it was sent.
 */
export interface PartFiles {
  /** The whole file begins to come: what the guest had of it before does not count. */
  begin(target: string, totalBytes: number, head: StreamWindow | undefined): PartFile;
  /** The rest of a file; undefined where not all that is before it was sent, or the file has another length now. */
  resume(target: string, rest: { start: number; totalBytes: number }): PartFile | undefined;
}

export function createPartFiles(): PartFiles {
  const files = new Map<string, PartFile>();
  return {
    begin(target, totalBytes, head) {
      files.delete(target);
      const [oldest] = files.keys();
      if (oldest !== undefined && files.size >= tableBounds.partFiles) files.delete(oldest);
      const file: PartFile = { totalBytes, head, sentBytes: 0 };
      files.set(target, file);
      return file;
    },
    resume(target, { start, totalBytes }) {
      const file = files.get(target);
      return file?.totalBytes === totalBytes && file.sentBytes >= start ? file : undefined;
    },
  };
}
