import { FIELDS, type Field, type ObservationFields } from './fields.ts';
import type { KindCounts } from './finding.ts';
import type { Reading, Unreadable } from './reading.ts';
import type { Stack } from './stack.ts';
import type { State, Task } from './task.ts';

/** What was seen of a task at one moment. */
export interface Observation extends ObservationFields {
  readonly task: Task;
  /** Absent where a text does not tell it. */
  readonly state?: State;
  /** No frames for a task that ran in user space, or whose kernel stack is gone (zombies). */
  readonly stack: Reading<Stack>;
  /** The CPU the task last ran on. */
  readonly cpu?: number;
  /** The function it waits in (/proc/PID/wchan), where its stack could not be read and this could. */
  readonly wchan?: string;
  /** Where the source can ask the kernel for it. */
  readonly facts?: KernelFacts;
}

/** A lock that a task sleeps for. */
export interface LockWait {
  readonly kind: 'mutex' | 'semaphore' | 'rwsem-read' | 'rwsem-write';
  /** Of the lock, as hexadecimal digits: tasks that wait for the same one have the same. */
  readonly address: string;
  /**
   * TID of the task that holds it, as the lock says; of several readers, of the one that came last. Absent where the
   * kernel does not note it, or nobody holds it.
   */
  readonly owner?: number;
}

/** What only the kernel knows of a task; nothing of it is in /proc. */
export interface KernelFacts {
  /** Since it last got a CPU; absent for a task that is on one. */
  readonly offCpuMs?: number;
  /** From 6.16 on, with CONFIG_DETECT_HUNG_TASK_BLOCKER. */
  readonly lock?: LockWait;
  /** TID of the thread that holds the process's mmap lock for writing. */
  readonly mmapLockOwner?: number | 'unknown';
  /** TID of the thread that waits until this child of vfork(2) executes a program or ends. */
  readonly vforkParent?: number;
  /** TID of the task that traces it. */
  readonly tracer?: number;
}

/** A task, or one thing about it, that could not be read. */
export interface Unread {
  /** 0 where it is about no single task. */
  readonly tid: number;
  /** Absent where the task's process is not known. */
  readonly pid?: number;
  /** Absent where not even the name could be read. */
  readonly comm?: string;
  readonly state?: State;
  readonly what: 'processes' | 'task' | 'stack' | 'commandLine' | 'threads' | Field;
  /** `cut`: only its beginning was taken. */
  readonly why: Unreadable | 'cut';
  /** Of what is malformed: path, item and what it holds. */
  readonly detail?: string;
}

/** How the tasks of a sample were read. */
export interface Source {
  readonly name: 'bpf' | 'procfs' | 'text';
  /** Why not by bpf, which also tells {@link KernelFacts}. */
  readonly why?: string;
}

/** What a selection left out of a sample, as far as it is known. */
export interface LeftOut extends Partial<KindCounts> {
  /** Threads in the states that are selected that are not the main one of their process; where only those are taken. */
  readonly threads?: number;
  /** Frames of a text that the kernel marked with `?`, since they may be left over from earlier calls. */
  readonly guessedFrames?: number;
  /** Lines and tasks of a text beyond what is read of one. */
  readonly lines?: number;
}

/** What the kernel said about the selected tasks at one moment. */
export interface Sample {
  /** When the sample was begun, Unix milliseconds. Absent where a text does not tell it. */
  readonly timeMs?: number;
  /** The same in seconds since boot, as lines of the kernel log have it. */
  readonly uptimeSeconds?: number;
  readonly host?: string;
  readonly bootId?: Reading<string>;
  /** The kernel's release, as uname(2) gives it. */
  readonly kernel?: string;
  /** Of the host, as Node.js names it: x64, arm64. */
  readonly architecture?: string;
  /** When the host was booted, Unix seconds (btime of /proc/stat). */
  readonly bootTimeSeconds?: number;
  readonly ticksPerSecond?: number;
  readonly source: Source;
  /** Whether each thread is a task of its own, or each process is one by its main thread. */
  readonly threads: boolean;
  /** What was read of each task beside its stat, stack and command line. */
  readonly fields: readonly Field[];
  readonly observations: readonly Observation[];
  /**
   * Tasks that selected ones wait for, one behind the other, or that wait for a selected vfork child, and that are not
   * selected; where the source can tell.
   */
  readonly holders: readonly Observation[];
  readonly leftOut: LeftOut;
  /**
   * Tasks that were selected and of which at most what their status tells is in `observations`, and what could not be
   * read of those left out. {@link everythingUnread} has the rest too.
   */
  readonly unread: readonly Unread[];
}

/** The observations of a sample that share a stack. */
export interface Group {
  /** Undefined for those that have none: they ran in user space, are zombies, or their stack could not be read. */
  readonly stack: Stack | undefined;
  readonly observations: readonly Observation[];
}

/** When the task was started, whole Unix seconds, rounded down; undefined where that is not known. */
export function startTimeSeconds({ id: { startTicks } }: Task, sample: Sample): number | undefined {
  const { ticksPerSecond, bootTimeSeconds } = sample;
  if (startTicks === undefined || ticksPerSecond === undefined || bootTimeSeconds === undefined) return undefined;
  return Math.floor(startTicks / ticksPerSecond) + bootTimeSeconds;
}

/** Everything the sample has to say about what could not be read: whole tasks first, then stacks and command lines. */
export function everythingUnread(sample: Sample): Unread[] {
  return [...sample.unread, ...unreadOf(sample.observations)];
}

/** What could not be read of these tasks. What a text does not tell is no failure. */
export function unreadOf(observations: readonly Observation[]): Unread[] {
  const unread: Unread[] = [];
  // The threads of a process share the reading of its command line: what happened to it is said once.
  const shared = new Set<Reading<string>>();
  for (const observation of observations) {
    const { task, stack } = observation;
    const { id, pid, comm, commandLine } = task;
    const { tid, startTicks } = id;
    // Of those without a stat, that is said.
    if (tid === undefined || startTicks === undefined) continue;
    const note = (what: Unread['what'], reading: Reading<unknown> | undefined) => {
      const missed = reading && missOf(reading);
      if (missed === undefined || missed.why === 'notTold') return;
      unread.push({ tid, ...(pid !== undefined && { pid }), ...(comm !== undefined && { comm }), what, ...missed });
    };
    note('stack', stack);
    if (!shared.has(commandLine)) note('commandLine', commandLine);
    shared.add(commandLine);
    for (const field of FIELD_NAMES) note(field, readingOf(observation, field));
  }
  return unread;
}

const FIELD_NAMES = Object.keys(FIELDS) as readonly Field[];

/** One of the fields of a task; undefined where it was not asked for. */
export function readingOf(observation: Observation, field: Field): Reading<unknown> | undefined {
  const { task } = observation;
  const places: { readonly [F in Field]?: Reading<unknown> } = FIELDS[field].of === 'task' ? task : observation;
  return places[field];
}

function missOf(reading: Reading<unknown>): Pick<Unread, 'why' | 'detail'> | undefined {
  if ('value' in reading) return reading.cut === true ? { why: 'cut' } : undefined;
  return { why: reading.unread, ...(reading.detail !== undefined && { detail: reading.detail }) };
}
