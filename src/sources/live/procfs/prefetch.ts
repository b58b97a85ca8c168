import type { CompiledSelection } from '../../../model/compiled-selection.ts';
import type { Reading } from '../../../model/reading.ts';
import type { KernelFacts } from '../../../model/sample.ts';
import type { Stat } from './stat.ts';

/** What is known about a task before anything is read from /proc. */
export interface PrefetchedTask {
  readonly pid: number;
  readonly tid: number;
  readonly stat: Stat;
  readonly uid: number;
  readonly namespacePid: number;
  /** TID of the thread that held the process's mmap lock for writing; undefined if none did. */
  readonly mmapOwner: number | 'unknown' | undefined;
}

/** A prefetch ended before it found all tasks. They can still be read from /proc. */
export class PrefetchFailed extends Error {}

/** What a faster source than /proc found about the selected tasks. */
export interface Prefetch<Known extends PrefetchedTask = PrefetchedTask> {
  /**
   * The tasks in batches, as they are found. Unless noted, call the other methods only after the last batch.
   * @throws PrefetchFailed
   */
  tasks(): Iterable<readonly Known[]>;
  /** The stack of a task, as /proc/PID/stack prints it. */
  stackOf(task: Known): string;
  /** The kernel's monotonic clock, which times off the CPU count back from; undefined if facts were not requested. */
  monotonicMs(): number | undefined;
  /** Undefined if facts were not requested. */
  factsOf(task: Known): KernelFacts | undefined;
  /** Whether the prefetch visited the process, selected or not. Others are looked up in /proc. */
  visited(pid: number): boolean;
  /** The PIDs of all processes that it did not visit. A result from a moment ago may be reused. */
  hidden(): readonly number[];
  /**
   * Whether the process's mmap lock is held for writing, for more than a moment: reading its command line would block.
   */
  isMmapLocked(pid: number): boolean;
  /** The command line from an earlier sample, if it is still recent enough. May be called between batches. */
  recall(task: Known): Reading<string> | undefined;
  /** Whether {@link recall} may succeed after the last batch. May be called between batches. */
  recallsLater(task: Known): boolean;
  remember(task: Known, commandLine: Reading<string>): void;
  /**
   * The TIDs of tasks that have ended since, and that may belong to other tasks by now. Call this after everything
   * that is addressed by number has been read.
   */
  replaced(): ReadonlySet<number>;
}

/** What /proc tells about the host's processes. */
export interface Processes {
  /** All PIDs. Takes a microsecond for each. */
  list(): readonly number[];
  /** The number of threads. */
  threads(): number;
  /** How many processes and threads were created since boot. */
  forks(): number;
  /** The same at the start of the sample. */
  readonly forksBefore: number;
  /** The TID given out last. */
  lastTid(): number;
  /** All TIDs are below this. */
  mostTids(): number;
  /** The number of threads of a process; 0 if it is gone. */
  threadsOf(pid: number): number;
}

export type OpenPrefetch = (selection: CompiledSelection, processes: Processes) => Prefetch;
