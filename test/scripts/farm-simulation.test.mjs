import { expect, it } from 'vitest';
import { openSteps } from '../../scripts/bench/farm-simulation/steps.mjs';

const never = new AbortController().signal;
const day = 86_400_000;

it('a step counts no cell that it has cut short', async () => {
  const steps = openSteps((id, scale) => (id === 'long' ? day : 0) * scale);
  const run = steps.sleeper('one');
  steps.begin(1);
  await run({ id: 'short' }, { signal: never });
  expect(steps.report()).toMatchObject({ cells: 1, begun: 1 });
  const long = run({ id: 'long' }, { signal: never });
  steps.begin(2);
  await long;
  expect(steps.report()).toMatchObject({ cells: 1, begun: 0 });
  await run({ id: 'short' }, { signal: never });
  expect(steps.report()).toMatchObject({ cells: 2, begun: 1 });
});

it('a worker that holds a cell until a step begins has run none', async () => {
  const steps = openSteps(() => 0);
  const holding = steps.sleeper('one')({ id: 'any' }, { signal: never });
  expect(steps.report()).toMatchObject({ held: 1 });
  steps.begin(1);
  await holding;
  expect(steps.report()).toMatchObject({ held: 0, cells: 0, begun: 0 });
});
