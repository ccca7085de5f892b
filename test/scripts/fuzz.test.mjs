import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTarget } from '../../scripts/fuzz/targets.mjs';
import { inCheckout } from '../../scripts/setup/checkout.mjs';
import { folderOfFile } from '../temporary-folder.ts';

const file = join(folderOfFile(), 'targets.mjs');
const properties = {
  holds: '() => {}',
  waits: 'async (value) => { if (value > 5) await new Promise(() => {}); }',
  throws: "() => { throw new Error('it does not hold'); }",
  exits: '() => process.exit(7)',
};
const rows = Object.entries(properties).map(
  ([name, check]) => `target({ name: '${name}', holds: '', testRuns: 1, input: fc.nat({ max: 9 }), check: ${check} })`,
);
writeFileSync(
  file,
  `import { createRequire } from 'node:module';
import { target } from '${inCheckout('test/fuzz/target.ts')}';
const fc = createRequire('${inCheckout('package.json')}')('fast-check');
export const targets = [${rows.join(',\n')}];
`,
);
const ran = (name) => runTarget({ name, runs: 100, seed: 1, file });

describe('a property run in a thread of its own', () => {
  it('holds for as many runs as asked', async () => {
    expect(await ran('holds')).toMatchObject({ target: 'holds', seed: 1, runs: 100 });
    expect((await ran('holds')).failure).toBeUndefined();
  });

  it('fails with what it threw', async () => {
    expect((await ran('throws')).failure).toContain('it does not hold');
  });

  it('fails at once where it waits for what never happens, with the run that repeats it', async () => {
    const { failure, runs, seed } = await ran('waits');
    expect(failure).toContain('exit code 13');
    expect(seed).toBe(1);
    expect(runs).toBeGreaterThan(0);
    expect(runs).toBeLessThan(100);
  });

  it('fails where it ends its thread', async () => {
    expect((await ran('exits')).failure).toContain('exit code 7');
  });
});
