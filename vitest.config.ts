import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const boots = 'test/boots/**/*.test.{ts,mjs}';

export default defineConfig({
  resolve: { alias: { 'netboot-harness': fileURLToPath(new URL('harness/index.ts', import.meta.url)) } },
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.{ts,mjs}'], exclude: [boots], testTimeout: 20_000 },
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
