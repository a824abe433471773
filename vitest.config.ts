import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: 'test/globalSetup.ts',
    include: ['test/**/*.test.ts'],
    exclude: ['test/full/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // The kernels bring their own threads: more workers than this only make them wait for each other.
    maxWorkers: 2,
  },
});
