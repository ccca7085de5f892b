import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Qmp } from '../../vm/qmp.ts';
import { statusWithin } from './held-guest.ts';

/** A guest that sends without end never settles. */
const mostTurns = 16;
/** A QEMU that does not answer by then has nothing more to say. */
const answerMs = 1_000;

/** Whether QEMU's main loop came round: a busy host delays it by seconds, it sends frames, and the console does not wait for it. */
const cameRound = async (qmp: Qmp): Promise<boolean> => typeof (await statusWithin(answerMs, qmp)) === 'object';

/**
 * Reads what the guest had sent when its case ended: console and frames come through streams of their own, and whichever
 * is read first may end the case while the other says why. `received` counts what was read so far, in any unit.
 */
export async function settle(received: () => number, qmp?: Qmp): Promise<void> {
  // An answer may precede the frames of its turn; a second one does not.
  if (qmp && (await cameRound(qmp))) await cameRound(qmp);
  for (let turns = 0, before = -1; turns < mostTurns && before !== received(); turns += 2) {
    before = received();
    // One turn ends the current one, which may be past reading; the second has read all that was there.
    await nextTurn();
    await nextTurn();
  }
}
