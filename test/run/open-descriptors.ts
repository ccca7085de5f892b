import { readdirSync, readlinkSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';

export const countsDescriptors = process.platform === 'linux';

/** Sockets and files of this process, by what they are; pipes and others are the test runner's own. */
function open(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith('socket:') || target.startsWith('/') ? [`${fd} ${target}`] : [];
    } catch {
      return [];
    }
  });
}

/** What `work` leaves open, once all that it closed has been. */
export async function leftOpenBy(work: () => Promise<unknown>): Promise<string[]> {
  const before = new Set(open());
  await work();
  const left = (): string[] => open().filter((descriptor) => !before.has(descriptor));
  for (let turn = 0; turn < 200 && left().length > 0; turn++) await nextTurn();
  return left();
}
