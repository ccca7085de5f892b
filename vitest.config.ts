import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const boots = 'test/boots/**/*.test.{ts,mjs}';
const browser = 'test/browser/**/*.test.ts';
/** About the process they run in: what importing leaves in it, which descriptors stay open. */
const alone = ['test/import.test.ts', 'test/run/leaks.test.ts'];

export default defineConfig({
  resolve: {
    alias: {
      'netboot-harness/facts': fileURLToPath(new URL('harness/model/known-facts.ts', import.meta.url)),
      'netboot-harness/vitest': fileURLToPath(new URL('harness/vitest/index.ts', import.meta.url)),
      'netboot-harness': fileURLToPath(new URL('harness/index.ts', import.meta.url)),
    },
  },
  test: {
    globalSetup: 'test/build-report-page.mjs',
    projects: [
      {
        extends: true,
        // Files share a process, and each module is loaded once in it: loading took more time than many of the tests.
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,mjs}'],
          exclude: [boots, browser, ...alone],
          isolate: false,
          testTimeout: 20_000,
        },
      },
      { extends: true, test: { name: 'unit-alone', include: alone, testTimeout: 20_000 } },
      {
        extends: true,
        // The report's page in a real browser, which is started once a file.
        test: { name: 'browser', include: [browser], testTimeout: 60_000, hookTimeout: 60_000, retry: 0 },
      },
      {
        extends: true,
        // Real guests: one file at a time, after everything else, and never a second try that would hide a flake.
        test: {
          name: 'boots',
          include: [boots],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 60_000,
          retry: 0,
        },
      },
    ],
  },
});
