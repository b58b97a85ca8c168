import type { Reading } from '../../../model/reading.ts';
import type { KernelFacts } from '../../../model/sample.ts';
import type { CompiledSelection } from '../selection/compiled.ts';
import type { Stat } from './stat.ts';

/** What is known of a task before anything of it is read from /proc. */
export interface PrefetchedTask {
  readonly pid: number;
  readonly tid: number;
  readonly stat: Stat;
  readonly uid: number;
  readonly namespacePid: number;
  /** TID of the thread that held the process's mmap lock for writing; undefined where none did. */
  readonly mmapOwner: number | 'unknown' | undefined;
}

/** A prefetch ended before it had found all tasks. They are in /proc all the same. */
export class PrefetchFailed extends Error {}

/** What a faster way than /proc found of the tasks of a selection. */
export interface Prefetch<Known extends PrefetchedTask = PrefetchedTask> {
  /** The tasks, some at a time, as they are found. All else may be asked when all are. @throws PrefetchFailed */
  tasks(): Iterable<readonly Known[]>;
  /** The stack of one of them, as /proc/PID/stack prints it. */
  stackOf(task: Known): string;
  /** Where they are wanted. */
  factsOf(task: Known): KernelFacts | undefined;
  /** Whether it visited the process, selected or not; what it did not visit is looked for in /proc. */
  visited(pid: number): boolean;
  /** Those of all processes that it did not visit; what was found a moment before may be believed. */
  hidden(): readonly number[];
  /**
   * Whether the process's mmap lock is held for writing, and stays so for more than a moment: reading its command line
   * would block.
   */
  isMmapLocked(pid: number): boolean;
  /**
   * The command line as an earlier sample found it, where that is still to be believed; may be asked while the tasks
   * are being found.
   */
  recall(task: Known): Reading<string> | undefined;
  /** Whether that can be told when all tasks are found. */
  recallsLater(task: Known): boolean;
  remember(task: Known, commandLine: Reading<string>): void;
  /**
   * The TIDs of those that have ended since and whose numbers may be another's by now. To be asked when all that goes
   * by number has been read.
   */
  replaced(): ReadonlySet<number>;
}

/** What /proc tells of the host's processes. */
export interface Processes {
  /** All of them, which takes a microsecond each. */
  list(): readonly number[];
  /** How many threads there are. */
  threads(): number;
  /** How many were ever made, since boot. */
  forks(): number;
  /** The same, as it was when the sample was begun. */
  readonly forksBefore: number;
  /** The number that was given out last. */
  lastTid(): number;
  /** No number is as high. */
  mostTids(): number;
  /** How many threads a process has; none when it has gone. */
  threadsOf(pid: number): number;
}

export type OpenPrefetch = (selection: CompiledSelection, processes: Processes) => Prefetch;
