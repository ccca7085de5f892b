// Kills at random moments: of runs, of what reads and writes templates, and of the commands that write in one go.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readTemplate } from '../../../.build/harness/run/templates/template.js';
import { cacheFolder } from '../../setup/checkout.mjs';
import { finishedIn, problemsOf, problemsOfWhole } from './records.mjs';
import { openWorkplace, traceIn } from './workplace.mjs';

/** Runs that may fail by themselves: then there is no point in killing more. */
const mostFailed = 3;

/** Runs, killed again and again until they are complete, and then the next. `check` looks at anything else after each kill. */
async function killRuns({
  name,
  place,
  kills,
  spanMs,
  cells,
  options,
  expected,
  random,
  signal,
  check = () => [],
  begin = () => {},
  isWriting,
  about = [],
  found,
}) {
  /**
   * How many cases were finished at each kill; `withNamespace` counts the kills while a network namespace was there,
   * `whileWriting` those that met what `isWriting` looks for. Without one of those that `about` names nothing was tested.
   */
  const finished = [];
  let killed = 0;
  let withNamespace = 0;
  let whileWriting = 0;
  let completed = 0;
  let failed = 0;
  for (let nth = 1; killed < kills && failed < mostFailed && !signal.aborted; nth++) {
    const runDir = join(place.folder, `${name}-${nth}`);
    begin();
    for (let isOver = false; !isOver && !signal.aborted; ) {
      const argv = existsSync(join(runDir, 'run.json')) ? ['--resume', runDir] : [...cells, '--out', runDir];
      const killAfterMs = killed < kills ? random() * spanMs : undefined;
      const ended = await place.netboot(['run', ...argv, ...options], { killAfterMs, isWriting });
      const problems = [...(await place.left()), ...traceIn(ended), ...check()];
      isOver = !ended.killed;
      if (ended.killed) killed++;
      else completed++;
      if (ended.killed) finished.push(finishedIn(runDir));
      if (ended.killed && ended.hadNamespace) withNamespace++;
      if (ended.killed && ended.wasWriting) whileWriting++;
      if (isOver && ended.exitCode !== 0) failed++;
      if (isOver && ended.exitCode !== 0) problems.push(`exit code ${ended.exitCode}: ${ended.stderr.slice(-300)}`);
      problems.push(...(isOver ? problemsOfWhole(runDir, expected) : problemsOf(runDir, expected)));
      found(name, problems, `${runDir}, ${ended.killed ? `killed after ${Math.round(killAfterMs)} ms` : 'at its end'}`);
    }
    rmSync(runDir, { recursive: true, force: true });
  }
  const counts = { killed, withNamespace, ...(isWriting && { whileWriting }), completed };
  if (!signal.aborted) {
    const unmet = about.filter((count) => counts[count] === 0).map((count) => `no kill was ${count}`);
    const few = killed < kills ? [`${killed} kills of ${kills}`] : [];
    found(name, [...unmet, ...few], 'the whole of it');
  }
  return { ...counts, finishedCases: spreadOf(finished) };
}

/** Sum, and the three quartiles between the least and the most. */
function spreadOf(counts) {
  const sorted = counts.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { checked: counts.reduce((sum, count) => sum + count, 0), atKills: [0, 0.25, 0.5, 0.75, 1].map(at) };
}

/** A cache with this machine's sets, and templates of its own. */
function ownCache(folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(cacheFolder).filter((name) => name !== 'templates')) {
    symlinkSync(join(cacheFolder, name), join(folder, name));
  }
  return folder;
}

/** Templates that could be found and cannot be read, and unfinished ones. */
function brokenTemplates(folder) {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const isBroken = (id) => id.endsWith('.part') || readTemplate(id, join(folder, id)) === undefined;
  return names.filter(isBroken).map((id) => `the template ${id} is not whole`);
}

/** What a command was writing next to its target, under another name. */
const unfinishedOf = (target) =>
  readdirSync(dirname(target))
    .filter((name) => name.startsWith(`${basename(target)}.`))
    .map((name) => `an unfinished file is left: ${name}`);

/** Runs end sooner than they are killed, now and then; nothing is tested where all do. */
const untested = ({ killed, signal }) => (killed === 0 && !signal.aborted ? ['it was never killed'] : []);

/** Runs `argv(target)`, killed `kills` times into new targets and each time made whole afterwards. */
async function killCommand({ name, place, kills, targetOf, argv, env, random, signal, check, found }) {
  const whole = await place.netboot(argv(targetOf(0)), { env });
  found(
    name,
    whole.exitCode === 0 ? check(targetOf(0)) : [`exit code ${whole.exitCode}: ${whole.stderr.slice(-300)}`],
    'undisturbed',
  );
  let killed = 0;
  for (let nth = 1; killed < kills && !signal.aborted; nth++) {
    const target = targetOf(nth);
    const killAfterMs = random() * whole.ms;
    const ended = await place.netboot(argv(target), { killAfterMs, env });
    if (ended.killed) killed++;
    const problems = [...(await place.left()), ...traceIn(ended), ...unfinishedOf(target)];
    if (existsSync(target)) problems.push(...check(target));
    else {
      const again = await place.netboot(argv(target), { env });
      if (again.exitCode !== 0) problems.push(`again: exit code ${again.exitCode}: ${again.stderr.slice(-300)}`);
      else problems.push(...check(target));
    }
    found(name, problems, `${target}, killed after ${Math.round(killAfterMs)} ms`);
    rmSync(target, { recursive: true, force: true });
  }
  found(name, untested({ killed, signal }), 'the whole of it');
  return { killed };
}

/** Names, lengths and contents below a folder. */
function contentOf(folder) {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true }).sort()) {
    const path = join(folder, name);
    hash.update(
      statSync(path).isFile() ? `${name} ${createHash('sha256').update(readFileSync(path)).digest('hex')}\n` : name,
    );
  }
  return hash.digest('hex');
}

export const killModes = {
  matrix: (job) =>
    killRuns({
      ...{ ...job, name: 'matrix', options: job.runOptions },
      // Of a few kills none may come then.
      about: job.usesNamespaces && job.kills >= 50 ? ['withNamespace'] : [],
    }),

  templates(job) {
    const cache = ownCache(join(job.place.folder, 'cache'));
    const place = openWorkplace(join(job.place.folder, 'templates'), { NETBOOT_CACHE: cache });
    const options = [...job.runOptions.filter((option) => option !== '--cold'), '--keep-templates'];
    const templates = join(cache, 'templates');
    const check = () => brokenTemplates(templates);
    // Once all are there, guests only read them.
    const begin = () => rmSync(templates, { recursive: true, force: true });
    const isWriting = () => existsSync(templates) && readdirSync(templates).some((id) => id.endsWith('.part'));
    // A kill every few hundred ms of a run that writes for a few seconds of it: of twenty some come then.
    const about = job.kills >= 20 ? ['whileWriting'] : [];
    return killRuns({ ...job, name: 'templates', place, options, check, begin, isWriting, about });
  },

  merge(job) {
    const shards = job.shards;
    const targetOf = (nth) => join(job.place.folder, `merged-${nth}`);
    const check = (target) => problemsOfWhole(target, job.expected);
    return killCommand({
      ...job,
      name: 'merge',
      targetOf,
      argv: (target) => ['merge', ...shards, '--out', target],
      check,
    });
  },

  bundle(job) {
    const targetOf = (nth) => join(job.place.folder, `bundle-${nth}.zip`);
    let bytes;
    const check = (target) => {
      bytes ??= statSync(target).size;
      const differs = Math.abs(statSync(target).size - bytes) > 4096;
      return differs ? [`${target} has ${statSync(target).size} bytes, not ${bytes}`] : [];
    };
    return killCommand({
      ...job,
      name: 'bundle',
      targetOf,
      argv: (target) => ['bundle', job.reference, '--out', target],
      check,
    });
  },

  /** A small program of the set-up, into an empty cache each time; the next set-up completes what a killed one began. */
  async 'set-up'({ place, kills, random, signal, found }) {
    const targetOf = (cache) => join(cache, 'programs', 'tftpd-hpa');
    let [killed, wholeMs, content] = [0, 0, ''];
    for (let nth = 0; nth <= kills && !signal.aborted; nth++) {
      const cache = join(place.folder, `cache-${nth}`);
      const install = (options) =>
        place.netboot(['install', 'tftpd-hpa'], { env: { NETBOOT_CACHE: cache }, ...options });
      const isThere = () => existsSync(targetOf(cache));
      const killAfterMs = nth === 0 ? undefined : random() * wholeMs;
      const first = await install({ killAfterMs });
      const problems = [...(await place.left()), ...traceIn(first)];
      if (nth === 0) [wholeMs, content] = [first.ms, contentOf(targetOf(cache))];
      if (first.killed) killed++;
      if (isThere() && contentOf(targetOf(cache)) !== content) problems.push('half of the program is there');
      const again = await install({});
      if (again.exitCode !== 0) problems.push(`again: exit code ${again.exitCode}: ${again.stderr.slice(-300)}`);
      else if (contentOf(targetOf(cache)) !== content)
        problems.push('the program is not as after an undisturbed set-up');
      found('set-up', problems, `${cache}, killed after ${Math.round(killAfterMs ?? 0)} ms`);
      rmSync(cache, { recursive: true, force: true });
    }
    found('set-up', untested({ killed, signal }), 'the whole of it');
    return { killed };
  },
};
