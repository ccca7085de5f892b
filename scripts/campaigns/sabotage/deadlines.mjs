// How long to wait for a sabotaged guest. A verdict by deadline is as good as any, so never longer than a whole boot
// takes; but where a stop is expected, a client gets the time to print its error.
const shortMs = 8_000;
const bootMs = 15_000;

const atMost = ({ stageMs, ...others }, most) => ({
  ...others,
  stageMs: Object.fromEntries(Object.entries(stageMs).map(([stage, ms]) => [stage, Math.min(ms, most)])),
});

/** Maps a plan to the deadlines of its sabotaged boot. */
export const deadlinesFor =
  ({ isOfMachine }, { boots, expectsSilence }) =>
  ({ deadlines }) => {
    // Such an expectation may name the deadline.
    if (expectsSilence) return deadlines;
    if (isOfMachine) return atMost(deadlines, shortMs);
    return boots ? atMost(deadlines, bootMs) : deadlines;
  };
