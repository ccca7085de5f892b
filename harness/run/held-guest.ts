import type { Qmp } from '../vm/qmp.ts';

/** States of a machine that its guest has not brought about (QEMU's qapi/run-state.json, RunState). */
const heldStates: Readonly<Record<string, string>> = {
  paused: 'QEMU was told by someone else to pause the guest',
  'io-error': 'QEMU paused the guest because it could not read or write a file',
};

/** Why a guest in this state of its machine does not run, where that is not the guest's doing. */
export const heldBy = (status: string): string | undefined => heldStates[status];

export const statusOf = async (qmp: Qmp): Promise<string> => {
  const answer = (await qmp.execute('query-status')) as { status?: unknown };
  return String(answer.status);
};

const answerMs = 5_000;

/** Why nothing was to be seen of a guest that is still there, where that is not the guest's doing. */
export async function whatHolds(qmp: Qmp): Promise<string | undefined> {
  const unanswered = `QEMU itself stands still: it has not answered for ${answerMs / 1000} s`;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(unanswered), answerMs);
  });
  // A QEMU that ends meanwhile is told by its exit.
  const held = statusOf(qmp).then(heldBy, () => undefined);
  return Promise.race([held, limit]).finally(() => clearTimeout(timer));
}
