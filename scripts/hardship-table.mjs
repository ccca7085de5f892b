const seconds = (ms) => `${(ms / 1000).toFixed(ms < 100_000 ? 1 : 0)} s`;

/** From power-on to the last stage, or where the boot stopped; one that failed though it got there shows nothing else. */
function outcome({ verdict }) {
  const { status, stages, stoppedAt } = verdict;
  if (!['passed', 'failed', 'flaky'].includes(status)) return status;
  if (stoppedAt !== null) return `🛑 ${stoppedAt}`;
  return status === 'failed' ? status : seconds(stages.at(-1).atMs);
}

function chainOf({ scenario, run: { inputs } }, axisText) {
  const { firmware, set, secondStage, nbpSet, ipVersion, standIn } = scenario;
  const transport = axisText(scenario, 'transport');
  const firstStage = `${firmware} of ${set}${standIn ? ', iPXE’s ROM as PXE' : ''}`;
  const bytes = inputs.find(({ role }) => role === 'nbp')?.bytes ?? 0;
  const nbp = `${secondStage}${nbpSet ? ` of ${nbpSet}` : ''} (${Math.round(bytes / 1000)} kB)`;
  return `${firstStage}, ${nbp}${transport === 'tftp' ? '' : ` by ${transport}`}${ipVersion === 6 ? ' over IPv6' : ''}`;
}

const groupedBy = (items, keyOf) => {
  const groups = new Map();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups];
};

/** Loaders that are not iPXE. */
const loaders = ['grub', 'pxelinux'];

/** Cases by chain, for each transport, IP version and kind of loader: their chains meet different hardships. */
const chainsOf = (cases, axisText) =>
  groupedBy(cases, ({ scenario }) =>
    [axisText(scenario, 'transport'), scenario.ipVersion, loaders.includes(scenario.secondStage)].join(' '),
  ).map(([, alike]) => groupedBy(alike, (one) => chainOf(one, axisText)));

/** What each boot chain survives, and what it costs in time: the measured part of scenarios/README.md. */
export function hardshipTable(result, { axisText, inline, table, totalsLine }) {
  const programs = Object.entries(result.host.qemu).map(([program, version]) => `${program} ${version}`);
  const groups = chainsOf(result.cases, axisText);
  const shown = groups.flatMap((chains) => {
    const titles = [...new Set(chains.flatMap(([, cases]) => cases.map(({ scenario }) => scenario.title)))];
    const rows = titles.map((title) => [
      inline(title),
      ...chains.map(([, cases]) => {
        const found = cases.find(({ scenario }) => scenario.title === title);
        return found === undefined ? '' : outcome(found);
      }),
    ]);
    return [...table(['', ...chains.map(([chain]) => inline(chain))], rows), ''];
  });
  return [
    `${groups.flat().length} chains. ${totalsLine(result)}. ${inline([result.startedAt.slice(0, 10), ...programs, result.host.platform].join(', '))}.`,
    '',
    ...shown,
    'Seconds from power-on to the last stage that is asked for (the script of the second stage, GRUB’s configuration, or Linux), with TCG; 🛑: the stage that was not reached.',
    '',
  ].join('\n');
}
