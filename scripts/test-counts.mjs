import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { cacheFolder } from './setup/checkout.mjs';

export const countsFile = `${cacheFolder}/test-counts.json`;

/** Vitest reporter: writes the counts of a run for test.mjs to read. */
export default class TestCounts {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) counts[test.result().state] += 1;
      // A file that failed outside its tests has no failed test to count.
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) counts.failed += 1;
    }
    mkdirSync(dirname(countsFile), { recursive: true });
    writeFileSync(countsFile, JSON.stringify(counts));
  }
}
