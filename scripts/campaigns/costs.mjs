// What runs that start their guests in different ways cost, compared with those from power-on.
import { median } from '../bench/report.mjs';

const figures = ['wallMs', 'guestCpuMs', 'harnessCpuMs'];

/** The first round that keeps templates makes them; it counts only where there is no other. */
function counted(start, rounds) {
  const whole = rounds.filter(({ resumed }) => !resumed);
  return start === 'kept' && whole.length > 1 ? whole.slice(1) : whole;
}

/**
 * Medians by the way guests start, and their ratios to `cold`: of `rounds` with `start`, whether they were `resumed` (then
 * their times mean nothing), and figures in ms.
 */
export function costsOf(rounds) {
  const starts = [...new Set(rounds.map(({ start }) => start))];
  const costs = starts.flatMap((start) => {
    const these = counted(
      start,
      rounds.filter((round) => round.start === start),
    );
    if (these.length === 0) return [];
    const medians = Object.fromEntries(figures.map((name) => [name, median(these.map((round) => round[name]))]));
    return [{ start, rounds: these.length, ...medians, harnessShare: medians.harnessCpuMs / medians.guestCpuMs }];
  });
  const cold = costs.find(({ start }) => start === 'cold');
  if (cold === undefined) return costs;
  return costs.map((cost) => ({
    ...cost,
    toCold: { wall: cost.wallMs / cold.wallMs, guestCpu: cost.guestCpuMs / cold.guestCpuMs },
  }));
}

const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
const times = (ratio) => `${ratio.toFixed(2)} × cold`;

/** One line for each way to start. */
export function costLines(costs) {
  return costs.map(({ start, rounds, wallMs, guestCpuMs, harnessCpuMs, harnessShare, toCold }) => {
    const compared = toCold === undefined || start === 'cold' ? [] : [times(toCold.wall), times(toCold.guestCpu)];
    const [wall, guestCpu] = compared.map((text) => ` (${text})`);
    return [
      `${start}, ${rounds === 1 ? '1 round' : `median of ${rounds} rounds`}`,
      `wall ${seconds(wallMs)}${wall ?? ''}`,
      `guests ${seconds(guestCpuMs)} CPU${guestCpu ?? ''}`,
      `harness ${seconds(harnessCpuMs)} CPU, ${(harnessShare * 100).toFixed(1)} % of the guests'`,
    ].join(' · ');
  });
}
