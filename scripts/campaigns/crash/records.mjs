// What must be true of a run's folder, whatever became of the process that wrote it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verdictOver } from '../../../.build/harness/judge/attempts.js';
import { judge } from '../../../.build/harness/judge/judge.js';
import { readResults } from '../../../.build/harness/run/records/read-results.js';
import { readCaseResult, readEvents, readPlan } from '../../../.build/harness/run/records/run-directory.js';
import { didIn } from '../rounds.mjs';

const casesOf = (runDir) => (existsSync(join(runDir, 'cases')) ? readdirSync(join(runDir, 'cases')) : []);

/** What each cell did in a run that nothing disturbed, by id. */
export const expectedOf = (runDir) => new Map(readResults(runDir).cases.map((one) => [one.id, didIn(one)]));

/** How many cases of a run have their result; each of them is looked at by `problemsOf`. */
export const finishedIn = (runDir) =>
  casesOf(runDir).filter((id) => existsSync(join(runDir, 'cases', id, 'result.json'))).length;

/** What the log of an attempt says. */
const verdictIn = (directory) => judge(readPlan(directory), readEvents(directory));

/** A case whose record is there is whole, its log gives the same verdict, and that is the usual one. */
function caseProblems(runDir, id, expected, allowed) {
  const directory = join(runDir, 'cases', id);
  try {
    const result = readCaseResult(directory);
    if (result === undefined) {
      if (!['plan.json', 'events.jsonl'].every((name) => existsSync(join(directory, name)))) return [];
      const verdict = verdictIn(directory);
      const open = ['interrupted', ...allowed];
      const isOpen = open.includes(verdict.status) || didIn({ verdict }) === expected.get(id);
      return isOpen ? [] : [`${id}: unfinished, and judged as ${didIn({ verdict })}`];
    }
    if (allowed.includes(result.verdict.status)) return [];
    const problems =
      didIn(result) === expected.get(id) ? [] : [`${id}: ${didIn(result)}; otherwise ${expected.get(id)}`];
    const [first, second] = result.run.attempts.map((attempt) => verdictIn(join(runDir, attempt.directory)));
    // One that never ran.
    if (first === undefined) return problems;
    const again = verdictOver(first, second);
    if (didIn({ verdict: again }) !== didIn(result))
      problems.push(`${id}: its logs are judged as ${didIn({ verdict: again })}`);
    return problems;
  } catch (error) {
    return [`${id}: ${error.message}`];
  }
}

/** Problems of the cases in a folder; verdicts of these statuses are allowed in place of the usual ones. */
export const problemsOf = (runDir, expected, allowed = []) =>
  casesOf(runDir).flatMap((id) => caseProblems(runDir, id, expected, allowed));

/** Of a run that has come to its end: every cell did the usual, and nothing unfinished lies about. */
export function problemsOfWhole(runDir, expected) {
  try {
    const seen = expectedOf(runDir);
    const missing = [...expected.keys()].filter((id) => !seen.has(id)).map((id) => `${id}: not in the results`);
    const unfinished = readdirSync(runDir, { recursive: true })
      .filter((name) => /\.part$|run\.lock$/.test(name))
      .map((name) => `left behind: ${name}`);
    const reports = ['report.html', 'summary.md', 'junit.xml'].filter(
      (name) => readFileSync(join(runDir, name)).length === 0,
    );
    return [...missing, ...unfinished, ...reports.map((name) => `${name} is empty`), ...problemsOf(runDir, expected)];
  } catch (error) {
    return [error.message];
  }
}
