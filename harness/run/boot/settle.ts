import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Qmp } from '../../vm/qmp.ts';
import { statusWithin } from './held-guest.ts';

/** A guest that sends without end never settles. */
const mostTurns = 16;
/** A QEMU that does not answer by then has nothing more to say. */
const answerMs = 1_000;

/** Whether QEMU's main loop is kept from coming round: a busy host delays it by seconds, and it sends the frames. */
const isKept = async (qmp: Qmp): Promise<boolean> => (await statusWithin(answerMs, qmp)) === 'unanswered';

/**
 * Reads what the guest had sent when its case ended: console and frames come through streams of their own, and whichever
 * is read first may end the case while the other says why. `received` counts what was read so far, in any unit. Resolves
 * with how long QEMU's main loop has been kept from sending more, in ms; 0 where it came round.
 */
export async function settle(received: () => number, qmp?: Qmp): Promise<number> {
  // An answer may precede the frames of its turn; a second one does not.
  const kept = qmp !== undefined && ((await isKept(qmp)) || (await isKept(qmp)));
  for (let turns = 0, before = -1; turns < mostTurns && before !== received(); turns += 2) {
    before = received();
    // One turn ends the current one, which may be past reading; the second has read all that was there.
    await nextTurn();
    await nextTurn();
  }
  return kept ? answerMs : 0;
}
