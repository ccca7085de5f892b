import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { compile, compiled, openWorkplace, type Workplace } from './cli.ts';

beforeAll(compile, 120_000);

/** SeaBIOS and a NIC without a ROM: it stops at once. */
const stops = { arch: 'x86_64', firmware: 'seabios', nic: 'e1000', rom: 'none' };
const expected = { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'no ROM' };
const matrix = {
  name: 'm',
  groups: [
    { name: 'good', ...stops, expect: expected },
    { name: 'bad', ...stops },
  ],
};

const step = (place: Workplace, ...argv: string[]) => {
  const file = place.write('m.json', matrix);
  return place.start(join(compiled, 'cli/main.js'), 'bisect-step', '--matrix', file, '--accel', 'tcg', ...argv)
    .finished;
};

describe('netboot bisect-step answers git bisect run', () => {
  it.each([
    ['good', ['good'], 0],
    ['bad', ['bad'], 1],
    ['untellable, where the build fails', ['good', '--build', 'false'], 125],
    ['nothing at all, where the question is wrong', ['no-such-case'], 128],
    ['nothing at all, where an option is', ['good', '--such', 'option'], 128],
  ])('%s', async (_, argv, code) => {
    using place = openWorkplace();
    expect(await step(place, ...argv)).toMatchObject({ exitCode: code });
  });

  it('by what the cells did in a run before, whatever is expected of them', async () => {
    using place = openWorkplace();
    expect(await step(place, 'bad', '--out', 'before')).toMatchObject({ exitCode: 1 });
    expect(await step(place, 'bad', '--baseline', 'before')).toMatchObject({ exitCode: 0 });
    // No commit would ever be good or bad.
    const other = { name: 'm', groups: [{ name: 'other', ...stops, nic: 'pcnet' }] };
    const argv = ['--matrix', place.write('other.json', other), '--accel', 'tcg', '--baseline', 'before'];
    expect(await place.start(join(compiled, 'cli/main.js'), 'bisect-step', 'other', ...argv).finished).toMatchObject({
      exitCode: 128,
      stderr: expect.stringContaining('--baseline before: none of the chosen cases is in that run'),
    });
  });
});
