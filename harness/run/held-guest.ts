import type { Qmp } from '../vm/qmp.ts';

/** Machine states that the guest did not cause (QEMU's qapi/run-state.json, RunState). */
const heldStates: Readonly<Record<string, string>> = {
  paused: 'someone else had QEMU pause the guest',
  'io-error': 'QEMU paused the guest because it could not read or write a file',
};

/** Why a guest in this machine state does not run, if the guest did not cause it. */
export const heldBy = (status: string): string | undefined => heldStates[status];

export const statusOf = async (qmp: Qmp): Promise<string> => {
  const answer = (await qmp.execute('query-status')) as { status?: unknown };
  return String(answer.status);
};

const answerMs = 5_000;

/** Why a guest that is still there is silent, if the guest did not cause it. */
export async function whatHolds(qmp: Qmp): Promise<string | undefined> {
  const unanswered = `QEMU itself hangs: no answer over QMP for ${answerMs / 1000} s`;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(unanswered), answerMs);
  });
  // If QEMU exits meanwhile, its exit is reported instead.
  const held = statusOf(qmp).then(heldBy, () => undefined);
  return Promise.race([held, limit]).finally(() => clearTimeout(timer));
}
