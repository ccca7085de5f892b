// Good cells by themselves, and then the same with hostile guests among them: what do those cost in memory, and in verdicts?
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { interruptible } from '../../command.mjs';
import { SetUpError, say } from '../../setup/checkout.mjs';
import { didIn, untestedIn } from '../rounds.mjs';

const measuredRun = fileURLToPath(new URL('measured-run.mjs', import.meta.url));

/** One run in a process of its own; resolves to its time, peak memory and verdicts. */
async function measured(choices, signal) {
  say(`${choices.cells.length} cells, ${choices.attackers.length} hostile guests`);
  const child = fork(measuredRun);
  const stop = () => child.send('stop');
  signal.addEventListener('abort', stop);
  try {
    child.send(choices);
    const ended = once(child, 'exit').then(([code]) => {
      throw new SetUpError(`the run ended with exit code ${code}`, 1);
    });
    const [outcome] = await Promise.race([once(child, 'message'), ended]);
    return outcome;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

const didOf = ({ cases }, id) => didIn(cases.find((one) => one.id === id));

/** Both runs, into a new folder; undefined if interrupted. The verdicts of `attackers` are for the caller to judge. */
export async function compared({ cells, jobs, attackers, outDir }) {
  if (existsSync(outDir)) throw new SetUpError(`--out: expected a new folder; ${outDir} exists`, 2);
  const runs = await interruptible(async (signal) => {
    const quiet = await measured({ cells, jobs, outDir: join(outDir, 'quiet'), attackers: [] }, signal);
    if (signal.aborted) return undefined;
    const attacked = await measured({ cells, jobs, outDir: join(outDir, 'attacked'), attackers }, signal);
    return signal.aborted ? undefined : { quiet, attacked };
  });
  if (runs === undefined) return undefined;
  const { quiet, attacked } = runs;
  const ids = quiet.cases.map(({ id }) => id);
  return {
    cells: ids.length,
    /** Why the comparison shows nothing. */
    untested: untestedIn(quiet),
    passed: quiet.cases.filter(({ verdict }) => verdict.status === 'passed').length,
    peakMiB: [quiet.peakMiB, attacked.peakMiB],
    costMiB: attacked.peakMiB - quiet.peakMiB,
    memory: [quiet.memory, attacked.memory],
    wallMs: [quiet.wallMs, attacked.wallMs],
    hostile: attacked.cases.filter(({ id }) => attackers.some((one) => one.id === id)),
    differences: ids
      .map((id) => ({ id, did: [quiet, attacked].map((run) => didOf(run, id)) }))
      .filter(({ did: [before, after] }) => before !== after),
    directory: outDir,
  };
}

/** Differences, how each hostile guest ended, and what they cost, in lines. */
export const linesOf = ({ peakMiB, costMiB, wallMs, hostile, differences, untested, directory }, mostMiB) => [
  ...untested,
  ...differences.map(({ id, did }) => `${id}: ${did.join(' | ')}`),
  ...hostile.map(({ id, verdict: { status, diagnosis } }) => `${id}: ${status}: ${diagnosis}`),
  `peak memory ${peakMiB.join(' and ')} MiB: ${costMiB} MiB more (at most ${mostMiB}); ${wallMs.map((ms) => Math.round(ms / 1000)).join(' and ')} s; ${directory}`,
];
