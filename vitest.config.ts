import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/compile-fixtures.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    tags: [{ name: 'source', description: 'what the source, $KSTACK_SOURCE, has to do with' }],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['src/**/*.test.ts'], maxWorkers: '100%' },
      },
      {
        // What is the same of every build of the command: the repository itself, the package, the library.
        extends: true,
        test: { name: 'repository', include: ['test/repository/**/*.test.ts'], maxWorkers: '100%' },
      },
      {
        // What has to hold of every build of the command, $KSTACK_BIN. The tests look at the processes of one host: a
        // frozen file system of one would be in the way of all others.
        extends: true,
        test: {
          name: 'command',
          include: ['test/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
