import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEventLog } from '../../harness/run/records/event-log.ts';
import { openRawLogs } from '../../harness/run/records/raw-logs.ts';
import { folderOfTest } from '../temporary-folder.ts';

// The kernel's own full disk: opens, and takes nothing.
const full = '/dev/full';

describe.skipIf(!existsSync(full))('a disk that is full', () => {
  let directory: string;
  folderOfTest((made) => {
    directory = made;
  });

  it('is told once by the event log, which goes on in memory', () => {
    const troubles: Error[] = [];
    const log = openEventLog(
      full,
      () => {},
      (error) => troubles.push(error),
    );
    const big = 'x'.repeat(40_000);
    for (let i = 0; i < 3; i++) log.emit({ source: 'vm', type: 'stderr', text: big });
    log.close();
    expect(troubles.map(({ message }) => message)).toEqual([expect.stringContaining('ENOSPC')]);
    expect(log.read()).toHaveLength(3);
  });

  it('is told by the raw logs, which close all the same', async () => {
    for (const name of ['serial.raw', 'qemu.stderr', 'console.txt']) await symlink(full, join(directory, name));
    const troubles: Error[] = [];
    const logs = openRawLogs(directory, (error) => troubles.push(error));
    logs.serial(Buffer.from('SeaBIOS'));
    await logs.close(['SeaBIOS']);
    expect(troubles.length).toBeGreaterThan(0);
    for (const { message } of troubles) expect(message).toContain('ENOSPC');
  });
});
