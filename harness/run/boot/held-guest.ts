import type { Qmp } from '../../vm/qmp.ts';

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

/** The same, but no longer than this many ms: `unanswered` then, and `gone` where QEMU cannot answer any more. */
export function statusWithin(ms: number, qmp: Qmp): Promise<{ status: string } | 'unanswered' | 'gone'> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<'unanswered'>((resolve) => {
    timer = setTimeout(() => resolve('unanswered'), ms);
  });
  const answer = statusOf(qmp).then(
    (status) => ({ status }),
    () => 'gone' as const,
  );
  return Promise.race([answer, limit]).finally(() => clearTimeout(timer));
}

const answerMs = 5_000;

/** Why a guest that is still there is silent, if the guest did not cause it. */
export async function whatHolds(qmp: Qmp): Promise<string | undefined> {
  const answer = await statusWithin(answerMs, qmp);
  if (answer === 'unanswered') return `QEMU itself hangs: no answer over QMP for ${answerMs / 1000} s`;
  // Its exit is reported instead.
  return answer === 'gone' ? undefined : heldBy(answer.status);
}
