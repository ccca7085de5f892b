import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, Option } from 'commander';
import { recordedLengths } from '../../scenarios/recorded-lengths.ts';
import type { Expansion } from '../matrix/expand-matrix.ts';
import { expandOnHost } from '../matrix/expand-on-host.ts';
import { type CellFilter, filterCells } from '../matrix/filter-cells.ts';
import { isMatrixProgram, loadMatrix } from '../matrix/load-matrix.ts';
import { type Matrix, withoutFullOnly } from '../matrix/matrix.ts';
import { parseMatrix } from '../matrix/parse-matrix.ts';
import { parseShard, type Shard, takeShard } from '../matrix/shard.ts';
import { smokeCells } from '../matrix/smoke.ts';
import { accels } from '../model/axes.ts';
import { HarnessError } from '../model/errors.ts';
import type { Axis, Scenario } from '../model/scenario.ts';
import { vagueExpectations } from '../model/vague-expectations.ts';
import { usualLength } from '../run/case-lengths.ts';
import type { Artefacts } from './artefacts.ts';
import { type CliIo, writeLines } from './io.ts';
import { type Origin, refuseForeignProgram, trustFlag, trustHelp } from './trust.ts';

/** One filter option for each axis. */
const axisOptions: Record<Axis, { flag: string; what: string; example: string }> = {
  arch: { flag: 'arch', what: 'architecture', example: 'aarch64' },
  machine: { flag: 'machine', what: 'QEMU machine', example: 'pc,q35' },
  firmware: { flag: 'firmware', what: 'firmware', example: 'ovmf' },
  set: { flag: 'only-set', what: 'artefact set', example: 'forky' },
  nic: { flag: 'nic', what: 'NIC', example: 'e1000,virtio-net-pci' },
  rom: { flag: 'rom', what: 'option ROM', example: 'bundled' },
  secondStage: { flag: 'second-stage', what: 'second stage', example: 'snponly' },
  transport: { flag: 'transport', what: 'transport', example: 'http' },
  payload: { flag: 'payload', what: 'payload', example: 'linux' },
  secureBoot: { flag: 'secure-boot', what: 'Secure Boot setting', example: 'microsoft' },
  ipVersion: { flag: 'ip-version', what: 'IP version', example: '6' },
  qemu: { flag: 'qemu', what: 'QEMU', example: 'qemu-10' },
  memoryMiB: { flag: 'memory', what: 'memory in MiB', example: '4096' },
  cpu: { flag: 'cpu', what: 'CPU model', example: 'max' },
  serialPorts: { flag: 'serial-ports', what: 'number of serial ports', example: '2' },
  virtio: { flag: 'virtio', what: 'virtio interface', example: 'modern' },
  bootNic: { flag: 'boot-nic', what: 'choice of boot NIC', example: 'second-of-two' },
};

/** Values between commas. */
function collectList(value: string, earlier: string[] = []): string[] {
  return [...earlier, ...value.split(',').filter((part) => part !== '')];
}

/** Values that may contain commas, one per flag. */
export const collect = (value: string, earlier: string[] = []): string[] => [...earlier, value];

/** Options that choose matrix and cases, under commander's camel-case names. */
export type CaseOptions = {
  matrix?: string;
  full?: boolean;
  smoke?: boolean;
  shard?: string;
  set?: string[];
  trust?: boolean;
} & Record<string, unknown>;

/** Without a default where a record may say which. */
export const accelOption = (recorded = ''): Option =>
  new Option('--accel <name>', `accelerator; auto: the fastest that passes a probe boot${recorded}`).choices([
    'auto',
    ...accels,
  ]);

export function addMatrixOptions(command: Command): Command {
  return command
    .option('--matrix <file>', 'a matrix of your own (.json, .ts, .mts, .js, .mjs) instead of the default one')
    .option('--full', 'also the groups tagged "full"')
    .option('--smoke', 'only the cases tagged "smoke": of the default matrix about twenty, one of each kind')
    .option(trustFlag, trustHelp)
    .addOption(
      new Option(
        '--set <dir|name>',
        'firmware and ROMs for the groups that name no artefact set: a folder with a build or a set.json, or a known set; if repeated, each case runs on each',
      ).argParser(collect),
    );
}

/** Ids, matrix, filters by axis, and a shard. */
export function addCaseOptions(command: Command): Command {
  command.argument('[ids...]', 'case ids or group names, * for any text; all cases if none is given');
  addMatrixOptions(command).option(
    '--shard <i/n>',
    'only the i-th of n parts of the cases, of about equal length, such as 1/4',
  );
  for (const { flag, what, example } of Object.values(axisOptions)) {
    const option = new Option(`--${flag} <values>`, `only cases with this ${what}, such as ${example}`);
    command.addOption(option.argParser(collectList).helpGroup('Filters (comma-separated, * for any text):'));
  }
  return command;
}

function camelCase(flag: string): string {
  return flag.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

export function axisFiltersOf(options: CaseOptions): NonNullable<CellFilter['axes']> {
  const given = Object.entries(axisOptions).map(([axis, { flag }]) => [axis, options[camelCase(flag)]] as const);
  return Object.fromEntries(given.filter(([, values]) => values !== undefined));
}

/** The matrix shipped with this package; compiled along with it, so it is found in a checkout and when installed. */
async function defaultMatrix(): Promise<Matrix> {
  const url = new URL(`../../scenarios/default${extname(fileURLToPath(import.meta.url))}`, import.meta.url);
  const module = (await import(url.href)) as { default: unknown };
  return parseMatrix(module.default, 'default matrix');
}

export interface ChosenCases extends Expansion {
  matrix: Matrix;
  /** Origin of untrusted data; undefined for the default matrix and for programs. */
  origin: Origin | undefined;
}

/** Loads and expands the matrix that the options ask for. */
export async function expandChosen(
  options: CaseOptions,
  { chosenSets, answers }: Pick<Artefacts, 'chosenSets' | 'answers'>,
): Promise<ChosenCases> {
  const { matrix: file, full, smoke, trust = false } = options;
  if (file !== undefined) refuseForeignProgram(file, process.cwd(), trust);
  const whole = file === undefined ? await defaultMatrix() : await loadMatrix(file);
  const wanted = full ? whole : withoutFullOnly(whole);
  const source = file ?? 'default matrix';
  const isData = file !== undefined && !isMatrixProgram(file);
  const origin = isData ? { source, folder: dirname(resolve(file)) } : undefined;
  const expansion = await expandOnHost(wanted, { source, sets: chosenSets }, answers);
  if (file === undefined) refuseVague(expansion.cells);
  return { origin, ...expansion, cells: smoke ? smokeCells(expansion.matrix, expansion.cells) : expansion.cells };
}

/** The default matrix must state exact expectations. */
function refuseVague(cells: readonly Scenario[]): void {
  const [problem] = vagueExpectations(cells);
  if (problem === undefined) return;
  throw new HarnessError('bad-matrix', `default matrix: ${problem}`, {
    hint: 'Give the failure as { rule, says }, with what the recorded boot says.',
  });
}

/** For authors of a matrix; results of a run carry the same in their notes. */
export function warnOfVague(cells: readonly Scenario[], { stderr }: Pick<CliIo, 'stderr'>): void {
  const hint = 'say which, as "failure": { "rule": RULE, "says": WORDS }';
  writeLines(
    stderr,
    vagueExpectations(cells).map((problem) => `warning: ${problem}; ${hint}`),
  );
}

function filtered(cells: readonly Scenario[], ids: readonly string[], options: CaseOptions): Scenario[] {
  return filterCells(cells, { ids, axes: axisFiltersOf(options) }, (axis) => `--${axisOptions[axis].flag}`);
}

/** The same on every machine, so that the shards of several fit together. */
const usualMs = (cell: Scenario): number => usualLength(cell, recordedLengths).durationMs;

/** The cells that pass filters and shard. */
export function selectCells(cells: readonly Scenario[], ids: readonly string[], options: CaseOptions): Scenario[] {
  const chosen = filtered(cells, ids, options);
  return options.shard === undefined ? chosen : takeShard(chosen, parseShard(options.shard), usualMs);
}

/** Which shard was asked for, and where in the whole selection each of the `chosen` cells is; undefined without a shard. */
export function shardOf(
  chosen: readonly Scenario[],
  cells: readonly Scenario[],
  ids: readonly string[],
  options: CaseOptions,
): (Shard & { places: number[] }) | undefined {
  if (options.shard === undefined) return undefined;
  const places = new Map(filtered(cells, ids, options).map(({ id }, place) => [id, place]));
  return { ...parseShard(options.shard), places: chosen.map(({ id }) => places.get(id) as number) };
}

/** The one cell with this id, or the only one that a glob matches. */
export function selectOne(cells: readonly Scenario[], id: string): Scenario {
  const exact = cells.find((cell) => cell.id === id);
  if (exact) return exact;
  const [first, ...others] = filterCells(cells, { ids: [id] });
  if (first && others.length === 0) return first;
  const some = [first, ...others].slice(0, 5).map((cell) => cell?.id);
  throw new HarnessError('usage', `"${id}" matches ${others.length + 1} cases, expected one: ${some.join(', ')}, …`, {
    hint: 'Give a whole id; `netboot list` shows them.',
  });
}
