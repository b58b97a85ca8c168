import { openSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { Reading } from '../../model/reading.ts';
import type { Field, Sample } from '../../model/sample.ts';
import type { Selection } from '../../model/selection.ts';
import { StackTable } from '../../model/stack.ts';
import type { Clock } from '../../model/time.ts';
import { BoundedReads } from './bounded-reads.ts';
import type { CommandLineLimits } from './command-lines.ts';
import type { Draft } from './draft.ts';
import { countForks, countThreads, listPids, listTids, readBootTime, readSmall } from './files.ts';
import type { LookFirst, Processes } from './first-look.ts';
import { SampleReader } from './sample-reader.ts';

/** USER_HZ, the unit of times in /proc: 100 on every architecture Node.js runs on (include/asm-generic/param.h). */
const TICKS_PER_SECOND = 100;

export interface ProcfsOptions {
  readonly clock: Clock;
  /** Where the procfs is mounted. */
  readonly root: string;
  readonly commandLines?: CommandLineLimits;
  /** What is to be read of each task beside its stat, stack and command line. */
  readonly fields?: readonly Field[];
  /** Whether many samples will be taken: then what they may come to need is made ready with the first. */
  readonly steady?: boolean;
  /** A faster way to most of what is wanted. */
  readonly lookFirst?: LookFirst | undefined;
  /** Where stacks are interned, for streams that share theirs; whoever hands it in trims it. */
  readonly stacks?: StackTable;
}

/**
 * execve(2) takes 6 MiB at the most, but a process may let the kernel show anything it has mapped (PR_SET_MM_MAP).
 * Escaped, each byte may become four.
 */
const LARGE: CommandLineLimits = { eachBytes: 6 << 20, allBytes: 8 << 20, leastBytes: 4096 };

let reads: BoundedReads<Draft> | undefined;
/** By path; kept open, since it is by them that reads which hang are known again. */
const directories = new Map<string, number>();

/**
 * Samples of the selected tasks, each taken when it is asked for, from /proc. The iteration never ends by itself.
 * @throws Error where not even the list of processes or the boot time can be read.
 */
export async function* procfs(
  selection: Selection,
  { clock, root, commandLines = LARGE, fields = [], lookFirst, stacks: shared, steady = false }: ProcfsOptions,
): AsyncGenerator<Sample, never> {
  const stacks = shared ?? new StackTable();
  reads ??= new BoundedReads(clock.monotonicMs);
  if (steady) reads.makeThreads();
  const bootId = readBootId(root);
  const directory = directories.get(root) ?? openSync(root, 'r');
  directories.set(root, directory);
  for (;;) {
    if (shared === undefined) stacks.trim();
    const timeMs = clock.nowMs();
    const bootTimeSeconds = readBootTime(root);
    const seen = await new SampleReader({
      selection,
      root,
      directory,
      reads,
      stacks,
      commandLines,
      fields,
      look: lookFirst?.(selection, processesOf(root)),
    }).read();
    yield { timeMs, host: hostname(), bootId, kernel: release(), bootTimeSeconds, ticksPerSecond: TICKS_PER_SECOND, ...seen };
  }
}

function processesOf(root: string): Processes {
  return {
    list: () => listPids(root),
    threads: () => countThreads(root),
    forks: () => countForks(root),
    threadsOf: (pid) => listTids(root, pid).length,
  };
}

/** One sample of the selected tasks, now. */
export async function takeSample(selection: Selection, options: ProcfsOptions): Promise<Sample> {
  for await (const sample of procfs(selection, options)) return sample;
  throw new Error('procfs() ended');
}

function readBootId(root: string): Reading<string> {
  const read = readSmall(`${root}/sys/kernel/random/boot_id`);
  return 'unread' in read ? read : { value: read.value.toString('latin1').trim() };
}
