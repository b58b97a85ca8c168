import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Tests of the command that look at tasks of their own, and mostly wait: they can bear another file beside them. None
 * may compare what is seen of all tasks, and no more than one (hung-files) may swap to a device that hangs. The longest
 * come first.
 */
const OF_THEIR_OWN = [
  'ship-faults',
  'ship',
  'hung-files',
  'otlp',
  'page',
  'background',
  'background-host',
  'why',
  'formats',
  'record',
  'top',
  'serve',
  'clickhouse-report',
  'record-directory',
  'background-killed',
  'long',
  'top-memory',
  'triggers',
  'report',
  'metrics',
  'bpf-refused',
  'explain',
  'sql',
  'background-files',
  'output',
  'clickhouse-connection',
  'standalone',
  'clickhouse',
  'serve-proxy',
  'viewers',
  'oled',
].map((name) => `test/${name}.test.ts`);

/** Two more than there are CPUs, since many of the files mostly wait. */
const maxWorkers = availableParallelism() + 2;

/**
 * Starts the longest files first, which wait, and lets those of src/ compute beside them. These stand together: a worker
 * keeps what they import only as long as the next file is one of them, too.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const filesOf = (name: string) => sorted.filter(({ project }) => project.name === name);
    const own = filesOf('command-own').sort((a, b) => placeOf(a) - placeOf(b));
    const longest = own.splice(0, maxWorkers - 1);
    return [...longest, ...filesOf('unit'), ...filesOf('repository'), ...own, ...filesOf('command-host')];
  }
}

const placeOf = ({ moduleId }: TestSpecification): number => OF_THEIR_OWN.findIndex((path) => moduleId.endsWith(path));

export default defineConfig({
  test: {
    globalSetup: ['test/compile-fixtures.ts'],
    // Files beside one another, on a machine that may be slow.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    tags: [{ name: 'source', description: 'what the source, $KSTACK_SOURCE, has to do with' }],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts'],
          maxWorkers,
          // No module keeps a state, so that files can share what they import: a third less of CPU time.
          isolate: false,
          // A quarter of the usual stack, in KB: what would not bear large input shows with a quarter of it.
          execArgv: ['--stack-size=246'],
        },
      },
      {
        // What is the same of every build of the command: the repository itself, the package, the library.
        extends: true,
        test: { name: 'repository', include: ['test/repository/**/*.test.ts'], maxWorkers },
      },
      {
        // What has to hold of every build of the command, $KSTACK_BIN.
        extends: true,
        test: { name: 'command-own', include: OF_THEIR_OWN, maxWorkers },
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
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
