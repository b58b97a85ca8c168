import { defineConfig } from 'vitest/config';

// Apart from the other tests: these need what npm run build:packages makes.
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    include: ['test/packages/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
});
