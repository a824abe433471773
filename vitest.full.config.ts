import { defineConfig } from 'vitest/config';

// Every test, the slow ones of test/full/ included: `npm run test:full`.
export default defineConfig({
  test: {
    globalSetup: 'test/globalSetup.ts',
    include: ['test/**/*.test.ts'],
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    maxWorkers: 1,
  },
});
