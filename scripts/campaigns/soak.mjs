// Runs a matrix over and over in one process: every round must do the same, and the process must not grow.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { openArtefacts } from '../../.build/harness/cli/artefacts.js';
import { expandChosen, selectCells } from '../../.build/harness/cli/case-options.js';
import { interruptible, parsed, stamp } from '../command.mjs';
import { SetUpError, say } from '../setup/checkout.mjs';
import { memoryMiB } from './memory.mjs';
import { didIn, runRound, untestedIn } from './rounds.mjs';

/** By then everything has been loaded, compiled and cached. */
const settledRound = 2;
const mostGrowth = 1.1;

const usage = `Usage: npm run -s campaign -- soak [options]

Runs the default matrix in rounds within one process, and prints every cell that does anything else than in the first round,
and the memory of the process after each, garbage collected. The records of a round that agrees with the first are removed.
Begun again in the same folder it goes on with the next round, in a new process, which has its own second round.

  --rounds N      number of rounds, at least 3 (default: 20)
  --cells GLOBS   only these cells, by id or group; comma-separated, * for any text
  --matrix FILE   your own matrix instead of the default one
  --out DIR       where the runs go, and what became of each (default: .runs/soak-<time>); an unfinished one is resumed
  --jobs N        number of guests at once (default: as many as the host can run)
  --json          the result as JSON on standard output
  --help

Exit code: 0 if all rounds agree, no verdict is an error, a cell passed in each, and no process has more than ${Math.round((mostGrowth - 1) * 100)} % more memory after its last than after its
second; 1 otherwise.`;

const options = {
  rounds: { type: 'string', count: true, default: '20' },
  cells: { type: 'string', many: true },
  matrix: { type: 'string' },
  out: { type: 'string' },
  jobs: { type: 'string', count: true },
  json: { type: 'boolean' },
};

/** What became of each round so far, in this process and in earlier ones. */
function openLog(outDir) {
  mkdirSync(outDir, { recursive: true });
  const path = join(outDir, 'rounds.jsonl');
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
  const rounds = lines.map((line) => JSON.parse(line));
  const process = (rounds.at(-1)?.process ?? 0) + 1;
  return {
    rounds,
    add(round) {
      rounds.push({ ...round, process });
      appendFileSync(path, `${JSON.stringify(rounds.at(-1))}\n`);
    },
  };
}

/** Of each process that got beyond its second round: its memory then and at the end. */
function growths(rounds) {
  const processes = new Map();
  for (const round of rounds) processes.set(round.process, [...(processes.get(round.process) ?? []), round]);
  return [...processes.values()]
    .filter((own) => own.length > settledRound)
    .map((own) => [own[settledRound - 1], own.at(-1)].map(({ memoryMiB }) => memoryMiB.resident))
    .map(([second, last]) => ({ second, last, growth: last / second }));
}

/** Runs the rounds that are not in the log yet. The first one's records stay, and are what the others are compared with. */
async function runRounds({ given, outDir, log, signal }) {
  const host = await openArtefacts([], { env: process.env, stderr: process.stderr });
  const { matrix, cells: all } = await expandChosen({ matrix: given.matrix }, host);
  const cells = selectCells(all, given.cells ?? [], {});
  const didOf = async (round) => {
    const shared = { host, matrix, cells, outDir, jobs: given.jobs, signal };
    const { cases } = await runRound({ ...shared, name: `round-${round}` });
    return { did: new Map(cases.map((one) => [one.id, didIn(one)])), untested: untestedIn({ cases }) };
  };
  const first = await didOf(1);
  for (let round = log.rounds.length + 1; round <= given.rounds && !signal.aborted; round++) {
    const { did, untested } = round === 1 ? first : await didOf(round);
    if (signal.aborted) return;
    const differences = [...did]
      .filter(([id, what]) => what !== first.did.get(id))
      .map(([id, what]) => ({ id, round, did: [first.did.get(id), what] }));
    if (round > 1 && differences.length + untested.length === 0)
      rmSync(join(outDir, `round-${round}`), { recursive: true });
    log.add({ round, cells: cells.length, differences, untested, memoryMiB: memoryMiB() });
    say(`round-${round}: ${differences.length} differ, ${JSON.stringify(log.rounds.at(-1).memoryMiB)} MiB`);
  }
}

export async function run(argv) {
  const given = parsed(argv, options, usage);
  if (given === undefined) return;
  if (given.rounds <= settledRound) throw new SetUpError(`--rounds: expected at least ${settledRound + 1}`, 2);
  const outDir = resolve(given.out ?? `.runs/soak-${stamp()}`);
  const log = openLog(outDir);
  await interruptible((signal) => runRounds({ given, outDir, log, signal }));
  const { rounds } = log;
  const differences = rounds.flatMap((round) => round.differences);
  const untested = rounds.flatMap((one) => (one.untested ?? []).map((why) => `round ${one.round}: ${why}`));
  const processes = growths(rounds);
  const ok =
    differences.length + untested.length === 0 &&
    processes.length > 0 &&
    processes.every(({ growth }) => growth <= mostGrowth);
  const cells = rounds.at(-1)?.cells ?? 0;
  if (given.json) {
    const report = {
      ok,
      rounds: rounds.length,
      cells,
      processes,
      log: rounds,
      differences,
      untested,
      directory: outDir,
    };
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    for (const { id, round, did } of differences) process.stdout.write(`${id}, round ${round}: ${did.join(' | ')}\n`);
    for (const why of untested) process.stdout.write(`${why}\n`);
    const memory = processes.map(
      ({ second, last, growth }) =>
        `${second} MiB after round ${settledRound}, ${last} MiB at the end (× ${growth.toFixed(2)})`,
    );
    const shown = memory.length > 0 ? memory.join('; ') : `no process got beyond its round ${settledRound}`;
    process.stdout.write(
      `${cells} cells in ${rounds.length} rounds: ${differences.length} differ; ${shown}; ${outDir}\n`,
    );
  }
  if (!ok) process.exitCode = 1;
}
