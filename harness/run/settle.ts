import { setImmediate as nextTurn } from 'node:timers/promises';

/** A guest that sends without end never settles. */
const mostTurns = 16;

/**
 * Reads what the guest had sent when its case ended: console and frames come through streams of their own, and whichever
 * is read first may end the case while the other says why. `received` counts what was read so far, in any unit.
 */
export async function settle(received: () => number): Promise<void> {
  for (let turns = 0, before = -1; turns < mostTurns && before !== received(); turns += 2) {
    before = received();
    // One turn ends the current one, which may be past reading; the second has read all that was there.
    await nextTurn();
    await nextTurn();
  }
}
