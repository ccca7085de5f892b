// How long a sabotaged guest is waited for. A verdict by deadline is as good as any, so there is no need to wait longer
// than a whole boot would take; but where a stop is expected, a client is given the time to say what it makes of it.
const shortMs = 8_000;
const bootMs = 15_000;

const atMost = ({ stageMs, ...others }, most) => ({
  ...others,
  stageMs: Object.fromEntries(Object.entries(stageMs).map(([stage, ms]) => [stage, Math.min(ms, most)])),
});

/** From a plan to the deadlines that its sabotaged boot has. */
export const deadlinesFor =
  ({ isOfMachine }, { boots, expectsSilence }) =>
  ({ deadlines }) => {
    // Such an expectation may name the time that passes.
    if (expectsSilence) return deadlines;
    if (isOfMachine) return atMost(deadlines, shortMs);
    return boots ? atMost(deadlines, bootMs) : deadlines;
  };
