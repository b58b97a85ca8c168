import { defineConfig } from 'vitest/config';

/**
 * Tests of the command that look at tasks of their own, and mostly wait: they can bear another file beside them. None
 * may compare what is seen of all tasks, and no more than one (hung-files) may swap to a device that hangs.
 */
const OF_THEIR_OWN = [
  'background',
  'background-files',
  'background-host',
  'background-killed',
  'clickhouse',
  'clickhouse-connection',
  'clickhouse-report',
  'explain',
  'hung-files',
  'metrics',
  'otlp',
  'page',
  'record-directory',
  'report',
  'ship',
  'ship-faults',
  'sql',
  'standalone',
  'viewers',
].map((name) => `test/${name}.test.ts`);

/**
 * Tests of the command look at a host that others use. What fails twice is a fault; what passed only the second time is
 * told by .ci/run.
 */
const retry = process.env['CI'] === 'true' ? 1 : 0;

export default defineConfig({
  test: {
    globalSetup: ['test/compile-fixtures.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    tags: [{ name: 'source', description: 'what the source, $KSTACK_SOURCE, has to do with' }],
    projects: [
      {
        extends: true,
        // No module keeps a state, so that files can share what they import: a third less of CPU time.
        test: { name: 'unit', include: ['src/**/*.test.ts'], maxWorkers: '100%', isolate: false },
      },
      {
        // What is the same of every build of the command: the repository itself, the package, the library.
        extends: true,
        test: { name: 'repository', include: ['test/repository/**/*.test.ts'], maxWorkers: '100%' },
      },
      {
        // What has to hold of every build of the command, $KSTACK_BIN.
        extends: true,
        test: { name: 'command-own', include: OF_THEIR_OWN, maxWorkers: 3, retry, sequence: { groupOrder: 1 } },
      },
      {
        // The same, of tests that look at all processes of the host: a frozen file system of one would be in the way of
        // all others.
        extends: true,
        test: {
          name: 'command-host',
          include: ['test/*.test.ts'],
          exclude: OF_THEIR_OWN,
          fileParallelism: false,
          retry,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
