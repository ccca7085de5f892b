import type { HarnessEvent } from '../model/events.ts';
import { attemptDirectoriesOf, readEvents } from '../run/records/run-directory.ts';

/** Nothing of a log that this machine wrote and cannot read. */
function eventsOf(directory: string): HarnessEvent[] {
  try {
    return readEvents(directory);
  } catch {
    return [];
  }
}

/**
 * Whether the logs of a case that came to its end, as they are on the disk, show the end of every attempt, and none that the
 * disk brought about. Once a log cannot be written, what follows is only in memory: the verdict may look like any other.
 */
export const areWhole = (directory: string): boolean =>
  attemptDirectoriesOf(directory).every((attempt) => {
    const events = eventsOf(attempt);
    return (
      events.some(({ source, type }) => source === 'run' && type === 'ended') &&
      !events.some((event) => event.type === 'infrastructure' && event.code === 'disk')
    );
  });
