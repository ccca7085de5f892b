import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { recordBounds } from '../../model/bounds.ts';
import { caseFiles } from './case-directory.ts';

/** The raw output of a case: serial port and QEMU's stderr byte for byte, and the rendered console. */
export interface RawLogs {
  /** Takes a copy. A promise if the disk is behind: push no more until it resolves. */
  serial(chunk: Buffer): Promise<void> | undefined;
  /** The part of the chunk that was taken; not all of it once the bound is reached. */
  stderr(chunk: Buffer): Buffer;
  /** Writes the console and closes the rest; never rejects. */
  close(transcript: readonly string[]): Promise<void>;
}

/** A serial port hands over a few bytes at a time, and each write to a file takes another thread: they are gathered. */
const gatheredBytes = 16 << 10;
/** A killed harness loses no more of a console than this. */
const flushMs = 250;

/** `onTrouble` is called, perhaps more than once, when the disk fails. */
export function openRawLogs(directory: string, onTrouble: (error: Error) => void): RawLogs {
  const open = (name: string) => createWriteStream(join(directory, name)).on('error', onTrouble);
  const streams = { serial: open(caseFiles.serial), stderr: open(caseFiles.stderr) };
  let onDrained = (): void => {};
  streams.serial.on('drain', () => onDrained()).on('close', () => onDrained());
  let stderrRoom: number = recordBounds.stderrBytes;
  const gathered = Buffer.allocUnsafeSlow(gatheredBytes);
  let used = 0;
  /** Set while something waits. */
  let timer: NodeJS.Timeout | undefined;

  /** False if the disk is behind. */
  function flush(): boolean {
    clearTimeout(timer);
    timer = undefined;
    if (used === 0) return true;
    const filled = Buffer.from(gathered.subarray(0, used));
    used = 0;
    return streams.serial.write(filled);
  }

  /** False if the disk is behind. */
  function gather(chunk: Buffer): boolean {
    let goesOn = true;
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.copy(gathered, used, at);
      used += taken;
      at += taken;
      if (used === gatheredBytes) goesOn = flush();
    }
    if (used > 0) timer ??= setTimeout(flush, flushMs).unref();
    return goesOn;
  }

  return {
    serial(chunk) {
      // A broken stream never drains; its error has ended the case.
      if (gather(chunk) || streams.serial.errored) return undefined;
      return new Promise((resolve) => {
        onDrained = resolve;
      });
    },
    stderr(chunk) {
      const taken = chunk.subarray(0, stderrRoom);
      stderrRoom -= taken.length;
      if (taken.length > 0) streams.stderr.write(taken);
      return taken;
    },
    async close(transcript) {
      flush();
      const ended = Object.values(streams).map((stream) => finished(stream.end()).catch(onTrouble));
      await Promise.all(ended);
      try {
        writeFileSync(join(directory, caseFiles.console), `${transcript.join('\n')}\n`);
      } catch (error) {
        onTrouble(error as Error);
      }
    },
  };
}
