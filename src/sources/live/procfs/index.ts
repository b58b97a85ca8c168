import { readlinkSync } from 'node:fs';
import { hostname, release } from 'node:os';
import type { Reading } from '../../../model/reading.ts';
import type { Field, Sample } from '../../../model/sample.ts';
import type { Selection } from '../../../model/selection.ts';
import { StackTable } from '../../../model/stack.ts';
import type { Clock } from '../../../model/time.ts';
import type { Reader } from '../../../native/reader/reader.ts';
import type { CommandLineLimits } from './command-lines.ts';
import {
  countForks,
  countThreads,
  errnoOf,
  listPids,
  listTids,
  readHostStat,
  readLastTid,
  readMostTids,
  readSmall,
} from './files.ts';
import { type FirstLook, LookFailed, type LookFirst, type Processes } from './first-look.ts';
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
  /** What reads the files there. */
  readonly reader: Reader;
  /** Whether this process is nobody else's, so that its threads are helpers of kstack's. */
  readonly ownsProcess?: boolean;
  /** A faster way to most of what is wanted. */
  readonly lookFirst?: LookFirst | undefined;
  /** Where stacks are interned, for streams that share theirs; whoever hands it in trims it. */
  readonly stacks?: StackTable;
}

/** What command lines take of one sample: a process may let the kernel show anything it has mapped (PR_SET_MM_MAP). */
const LARGE: CommandLineLimits = { allBytes: 8 << 20, leastBytes: 4096 };

/**
 * Samples of the selected tasks, each taken when it is asked for, from /proc. The iteration never ends by itself.
 * @throws Error where not even the list of processes or the boot time can be read.
 */
export async function* procfs(
  selection: Selection,
  {
    clock,
    root,
    reader,
    commandLines = LARGE,
    fields = [],
    lookFirst,
    stacks: shared,
    ownsProcess = false,
  }: ProcfsOptions,
): AsyncGenerator<Sample, never> {
  const stacks = shared ?? new StackTable();
  const bootId = readBootId(root);
  const isHere = isOwnNamespace(root);
  const own = { reader: isHere ? reader.pid : undefined, process: isHere && ownsProcess ? process.pid : undefined };
  for (;;) {
    if (shared === undefined) stacks.trim();
    const timeMs = clock.nowMs();
    const { bootTimeSeconds, forks } = readHostStat(root);
    const read = (look: FirstLook | undefined) =>
      new SampleReader({ selection, root, reader, stacks, commandLines, fields, look, own }).read();
    const seen = await orWithoutLook(read, lookFirst?.(selection, processesOf(root, forks)));
    yield {
      timeMs,
      host: hostname(),
      bootId,
      kernel: release(),
      bootTimeSeconds,
      ticksPerSecond: TICKS_PER_SECOND,
      ...seen,
    };
  }
}

function countTids(root: string, pid: number): number {
  const tids = listTids(root, pid);
  return 'value' in tids ? tids.value.length : 0;
}

type Seen = Awaited<ReturnType<SampleReader['read']>>;

/** Where the look fails, the sample is one of /proc alone. */
async function orWithoutLook(
  read: (look: FirstLook | undefined) => Promise<Seen>,
  look: FirstLook | undefined,
): Promise<Seen & Pick<Sample, 'source'>> {
  try {
    return await read(look);
  } catch (error) {
    if (!(error instanceof LookFailed)) throw error;
    return { ...(await read(undefined)), source: { name: 'procfs', why: error.message } };
  }
}

function processesOf(root: string, forksBefore: number): Processes {
  return {
    forksBefore,
    lastTid: () => readLastTid(root),
    mostTids: () => readMostTids(root),
    list: () => listPids(root),
    threads: () => countThreads(root),
    forks: () => countForks(root),
    threadsOf: (pid) => countTids(root, pid),
  };
}

/** One sample of the selected tasks, now. */
export async function takeSample(selection: Selection, options: ProcfsOptions): Promise<Sample> {
  for await (const sample of procfs(selection, options)) return sample;
  throw new Error('procfs() ended');
}

/** Whether tasks have the numbers in that procfs that they have for this process. */
function isOwnNamespace(root: string): boolean {
  try {
    return Number(readlinkSync(`${root}/self`)) === process.pid;
  } catch (error) {
    // A procfs of another namespace, in which this process is not.
    errnoOf(error);
    return false;
  }
}

function readBootId(root: string): Reading<string> {
  const read = readSmall(`${root}/sys/kernel/random/boot_id`);
  return 'unread' in read ? read : { value: read.value.toString('latin1').trim() };
}
