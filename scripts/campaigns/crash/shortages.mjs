// Runs on a machine that lacks something: disk space, a place to write, descriptors, a steady clock.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { problemsOf, problemsOfWhole } from './records.mjs';
import { traceIn } from './workplace.mjs';

/** Commands in a mount namespace of their own. */
const unshared = (script) => `exec unshare ${process.getuid() === 0 ? '-m' : '-rm'} sh -c '${script}' sh "$@"`;

/**
 * Runs `times` times with a shortage that `make` makes: a shell script around the command line, or an environment. A run may
 * give errors of its own instead of verdicts, but no other verdict; resumed without the shortage it completes. `made` is a
 * file that the script makes with the shortage: a host may not let us mount. `refused`: the run cannot even begin.
 */
async function runShort({ name, place, times, cells, runOptions, expected, signal, found, make, refused = false }) {
  const exits = {};
  for (let nth = 1; nth <= times && !signal.aborted; nth++) {
    const runDir = join(place.folder, `${name}-${nth}`);
    const { script = 'exec "$@"', env = {}, made, text } = make(runDir);
    const ended = await place.netbootBy(script, ['run', ...cells, '--out', runDir, ...runOptions], { env });
    exits[ended.exitCode] = (exits[ended.exitCode] ?? 0) + 1;
    const problems = [
      ...(await place.left()),
      ...traceIn(ended),
      ...problemsOf(runDir, expected, ['error', 'interrupted']),
    ];
    if (made !== undefined && !existsSync(made))
      problems.push(`the shortage was not made: ${ended.stderr.slice(-300)}`);
    if (refused && ended.exitCode === 0) problems.push('it is no shortage to the run');
    if (ended.exitCode === null) problems.push('it was ended by a signal');
    if (ended.exitCode !== 0 && ended.stderr.trim() === '' && ended.stdout.trim() === '')
      problems.push('it says nothing');
    if (!refused && existsSync(join(runDir, 'run.json'))) {
      const again = await place.netboot(['run', '--resume', runDir, ...runOptions]);
      if (again.exitCode !== 0) problems.push(`resumed: exit code ${again.exitCode}: ${again.stderr.slice(-300)}`);
      else problems.push(...problemsOfWhole(runDir, expected));
    }
    found(name, problems, `${runDir}, ${text}, exit code ${ended.exitCode}: ${ended.stderr.trim().split('\n').at(-1)}`);
    rmSync(runDir, { recursive: true, force: true });
    if (made !== undefined) rmSync(made, { force: true });
  }
  return { exits };
}

const madeIn = (runDir) => `${runDir}.made`;

/** The run's folder on a small disk of its own; what it held is kept. */
function smallDisk(runDir, kib) {
  const disk = `${runDir}-disk`;
  mkdirSync(disk, { recursive: true });
  // The folder is a link in which the run sees the disk; afterwards the disk's content is put in its place.
  return `mkdir -p ${runDir} && mount -t tmpfs -o size=${kib}k tmpfs ${runDir} && touch ${madeIn(runDir)} && "$@"; code=$?; cp -r ${runDir}/. ${disk}/; umount ${runDir}; cp -r ${disk}/. ${runDir}/; rm -rf ${disk}; exit $code`;
}

export const shortageModes = {
  disk: (job) =>
    runShort({
      ...job,
      name: 'disk',
      make(runDir) {
        const kib = 8 + Math.floor(job.random() * job.fullDiskKib);
        return { script: unshared(smallDisk(runDir, kib)), made: madeIn(runDir), text: `a disk of ${kib} KiB` };
      },
    }),

  'read-only': (job) =>
    runShort({
      ...job,
      name: 'read-only',
      times: Math.min(2, job.times),
      refused: true,
      make: (runDir) => ({
        script: unshared(
          `mkdir -p ${runDir}/inner && mount -t tmpfs -o ro tmpfs ${runDir}/inner && touch ${madeIn(runDir)} && "$@" --out ${runDir}/inner`,
        ),
        made: madeIn(runDir),
        text: 'a read-only folder',
      }),
    }),

  descriptors: (job) =>
    runShort({
      ...job,
      name: 'descriptors',
      make() {
        const limit = 40 + Math.floor(job.random() * 600);
        return { script: `ulimit -n ${limit}; exec "$@"`, text: `${limit} descriptors` };
      },
    }),

  /** Only what the harness reads: the machine's own clock is left alone. */
  clock: (job) =>
    runShort({
      ...job,
      name: 'clock',
      make() {
        const afterMs = Math.floor(job.random() * job.wholeMs);
        const byMs = Math.floor((job.random() - 0.5) * 4 * 86_400_000);
        const code = `const real = Date.now; const start = real(); Date.now = () => real() + (real() - start > ${afterMs} ? ${byMs} : 0);`;
        const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
        return { env, text: `a clock that jumps by ${Math.round(byMs / 60_000)} minutes after ${afterMs} ms` };
      },
    }),
};
