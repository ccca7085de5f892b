import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { buildPayloads } from '../payloads/build-payloads.mjs';
import { checkout, inCheckout, SetUpError, say } from './checkout.mjs';
import { withLock } from './lock.mjs';

const sourceFolders = ['harness', 'scenarios'];
const settings = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build-report-page.mjs'];
const outputSuffixes = /\.(d\.ts|js|js\.map)$/;

const filesUnder = (folder) =>
  readdirSync(inCheckout(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .sort();

/** One line per source file; changes when a file is changed, added or removed. */
function fingerprint() {
  const files = [...sourceFolders.flatMap(filesUnder), ...settings.map((name) => inCheckout(name))];
  return files
    .map((file) => {
      const { size, mtimeMs } = statSync(file);
      return `${file} ${size} ${mtimeMs}`;
    })
    .join('\n');
}

const stamp = inCheckout('.build', 'sources.txt');

function upToDate(sources) {
  try {
    return readFileSync(stamp, 'utf8') === sources;
  } catch {
    return false;
  }
}

/** The compiler leaves outputs of deleted sources behind. */
function removeOrphans() {
  for (const folder of sourceFolders.filter((name) => existsSync(inCheckout('.build', name)))) {
    for (const output of filesUnder(`.build/${folder}`)) {
      const source = output.replace(inCheckout('.build'), inCheckout()).replace(outputSuffixes, '.ts');
      if (!existsSync(source)) rmSync(output);
    }
  }
}

function node(problem, script, ...args) {
  const { status } = spawnSync(process.execPath, [inCheckout(script), ...args], {
    cwd: checkout,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new SetUpError(problem);
}

/** Brings .build/ up to date: harness/ and scenarios/ compiled, and the payloads. */
export function compile() {
  buildPayloads();
  if (upToDate(fingerprint())) return;
  withLock(() => {
    const sources = fingerprint();
    if (upToDate(sources)) return;
    say('compiling');
    rmSync(stamp, { force: true });
    node('the TypeScript sources do not compile', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
    removeOrphans();
    node("the report's page cannot be built", 'scripts/build-report-page.mjs');
    writeFileSync(stamp, sources);
  });
}
