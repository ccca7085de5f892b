import { archs, type Configuration, configurations } from '../model/axes.ts';
import { axisText } from '../model/axis-text.ts';
import { configurationText, isStandIn, standInText } from '../model/configuration-text.ts';
import { seconds } from '../model/time-text.ts';
import type { CaseResult, RunResult } from '../model/verdict.ts';
import { code, inline, table } from './markdown.ts';
import { legend, signOf, signsOf } from './marks.ts';
import { evidenceLine, statusWords } from './run-facts.ts';

/** Firmware, option ROM and second stage of each configuration. */
export const configurationMeanings: Record<Configuration, string> = {
  1: "legacy BIOS, the vendor's complete PXE ROM (or iPXE standing in for it), full iPXE chain-loaded",
  2: 'legacy BIOS, full iPXE in the option ROM, anything after it',
  3: "UEFI, the vendor's low-level driver (SNP) in the option ROM, full iPXE chain-loaded",
  4: 'UEFI, full iPXE in the option ROM, anything after it',
  5: 'UEFI, iPXE cut down to an SNP driver in the option ROM, then full iPXE or another loader',
  6: "UEFI, no option ROM, the firmware's own driver, then full iPXE or another loader",
};

const header = ['arch', 'NIC', 'firmware', 'ROM', 'second stage', 'verdict', 'last stage', 'time', 'evidence'];

function configurationOf({ scenario, verdict }: CaseResult): Configuration | null {
  return scenario.configuration ?? verdict.observedConfiguration;
}

function differences(result: CaseResult): string {
  const declared = result.scenario.configuration ?? null;
  const observed = result.verdict.observedConfiguration;
  const predicted = result.run.predictedConfiguration;
  return [
    ...(declared !== null && observed !== null && declared !== observed ? [`observed as ${observed}`] : []),
    ...(predicted !== null && predicted !== (observed ?? declared) ? [`predicted as ${predicted}`] : []),
  ].join(', ');
}

function row(result: CaseResult): string[] {
  const { scenario, verdict, run } = result;
  const { arch, nic, machine, set } = scenario;
  const { status, lastStage } = verdict;
  const [firmware, rom, secondStage, transport] = (['firmware', 'rom', 'secondStage', 'transport'] as const).map(
    (axis) => axisText(scenario, axis),
  ) as [string, string, string, string];
  const evidence = [differences(result), evidenceLine(result)].filter((text) => text !== '').join('; ');
  return [
    arch,
    `${code(nic)} on ${inline(machine)}`,
    inline(set === 'host' ? firmware : `${firmware}, ${set}`),
    inline(isStandIn(result) ? `${rom} (${standInText})` : rom),
    inline(secondStage === 'none' ? '–' : `${secondStage} by ${transport}`),
    `${signOf(result)} ${statusWords[status]}`,
    lastStage ?? '–',
    run.attempts.length === 0 ? '–' : seconds(run.durationMs),
    inline(evidence, 200),
  ];
}

function section(title: string, cases: readonly CaseResult[]): string[] {
  const order = ({ scenario: { arch, nic }, id }: CaseResult) => `${arch} ${nic} ${id}`;
  const sorted = [...cases].sort((a, b) => (order(a) < order(b) ? -1 : 1));
  return [`## ${title}`, '', ...(sorted.length > 0 ? table(header, sorted.map(row)) : ['No case in this run.']), ''];
}

/** Outcome of each NIC in each configuration of each architecture; NICs with equal outcomes share a row. */
export function configurationGrid(cases: readonly CaseResult[]): string[] {
  const columns = archs
    .flatMap((arch) => [...configurations, null].map((configuration) => ({ arch, configuration })))
    .flatMap((column) => [false, true].map((standIn) => ({ ...column, standIn })))
    .map(({ arch, configuration, standIn }) => ({
      title: `${arch}<br>${configurationText(configuration, standIn)}`,
      cases: cases.filter(
        (one) => one.scenario.arch === arch && configurationOf(one) === configuration && isStandIn(one) === standIn,
      ),
    }))
    .filter((column) => column.cases.length > 0);
  const nicsOfRow = new Map<string, { nics: string[]; signs: string[] }>();
  for (const nic of [...new Set(cases.map(({ scenario }) => scenario.nic))].sort()) {
    const signs = columns.map((column) => signsOf(column.cases.filter(({ scenario }) => scenario.nic === nic)));
    const row = nicsOfRow.get(signs.join('|')) ?? { nics: [], signs };
    row.nics.push(nic);
    nicsOfRow.set(signs.join('|'), row);
  }
  return [
    ...table(
      ['NIC', ...columns.map(({ title }) => title)],
      [...nicsOfRow.values()].map(({ nics, signs }) => [nics.map(code).join(', '), ...signs]),
    ),
    '',
    legend(cases),
  ];
}

/** The six configurations in words. */
export const configurationList = (): string[] => configurations.map((one) => `${one}. ${configurationMeanings[one]}`);

/** configurations.md: the grid, then each case with verdict, stage, time and evidence, by configuration. */
export function configurationsMarkdown(result: RunResult): string {
  const of = (configuration: Configuration | null) =>
    result.cases.filter((one) => configurationOf(one) === configuration);
  const others = of(null);
  const { qemu, platform, cores } = result.host;
  const programs = Object.entries(qemu).map(([program, version]) => `${program} ${version}`);
  return [
    '# The six configurations',
    '',
    inline(`${result.matrix}, ${result.startedAt}, ${[...programs, platform].join(', ')}, ${cores} cores`),
    '',
    ...(result.cases.length > 0 ? [...configurationGrid(result.cases), ''] : []),
    ...configurations.flatMap((one) => section(`${one}: ${configurationMeanings[one]}`, of(one))),
    ...(others.length > 0 ? section('None declared, none observed', others) : []),
  ].join('\n');
}
