import { createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { caseFiles } from './case-directory.ts';

/** The raw octets a case leaves: serial port and QEMU's stderr as they come, the console as it was seen. */
export interface RawLogs {
  serial(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
  /** Writes the console and closes the rest; never rejects. */
  close(transcript: readonly string[]): Promise<void>;
}

/** `onTrouble` is told, perhaps more than once, when the disk does not take them. */
export function openRawLogs(directory: string, onTrouble: (error: Error) => void): RawLogs {
  const open = (name: string) => createWriteStream(join(directory, name)).on('error', onTrouble);
  const streams = { serial: open(caseFiles.serial), stderr: open(caseFiles.stderr) };
  return {
    serial: (chunk) => void streams.serial.write(chunk),
    stderr: (chunk) => void streams.stderr.write(chunk),
    async close(transcript) {
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
