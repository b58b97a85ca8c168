import type { Reading, Unreadable } from './reading.ts';
import type { Stack } from './stack.ts';
import type { Doing } from './system-call.ts';

/** The kernel's state letters, as /proc/PID/stat prints them (fs/proc/array.c, task_state_array). */
export const STATES = ['R', 'S', 'D', 'I', 'T', 't', 'Z', 'X', 'P'] as const;
export type State = (typeof STATES)[number];

/** One schedulable thread: what stays the same while it lives. Known by (tid, startTicks). */
export interface Task {
  /** The process (the kernel's tgid). */
  readonly pid: number;
  readonly tid: number;
  readonly ppid: number;
  /**
   * Absent where its stat could not be read. Clock ticks from boot to the task's start; {@link Sample.ticksPerSecond}
   * of them are a second.
   */
  readonly startTicks?: number;
  /** Bytes that are not UTF-8 stand as lone surrogates U+DC80 to U+DCFF, see decodeBytes; nothing is escaped. */
  readonly comm: string;
  /**
   * See commandLineText: each argument with a space behind it, decoded like `comm`; empty for kernel threads and
   * zombies, which have none.
   */
  readonly commandLine: Reading<string>;
  readonly kernelThread: boolean;
  /** The effective user id, where it was asked for. */
  readonly uid?: Reading<number>;
  /**
   * The control group, as a path from the hierarchy's root, where it was asked for; empty where no hierarchy is
   * mounted.
   */
  readonly cgroup?: Reading<string>;
}

/** What was seen of a task at one moment. */
export interface Observation {
  readonly task: Task;
  readonly state: State;
  /** No frames for a task that ran in user space, or whose kernel stack is gone (zombies). */
  readonly stack: Reading<Stack>;
  /** The CPU the task last ran on. Absent where its stat could not be read. */
  readonly cpu?: number;
  /** The function it waits in (/proc/PID/wchan), where its stack could not be read and this could. */
  readonly wchan?: string;
  /** Where it was asked for. */
  readonly systemCall?: Reading<Doing>;
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

/** What is read of a task only where it is asked for. */
export const FIELDS = ['uid', 'cgroup', 'systemCall'] as const;
export type Field = (typeof FIELDS)[number];

/** A task, or one thing about it, that could not be read. */
export interface Unread {
  /** 0 where it is about no single task. */
  readonly tid: number;
  /** Absent where not even the name could be read. */
  readonly comm?: string;
  readonly state?: State;
  readonly what: 'processes' | 'task' | 'stack' | 'commandLine' | 'threads' | Field;
  /** `cut`: only its beginning was taken. */
  readonly why: Unreadable | 'cut';
}

/** How the tasks of a sample were read. */
export interface Source {
  readonly name: 'bpf' | 'procfs';
  /** Why not by bpf, which also tells {@link KernelFacts}. */
  readonly why?: string;
}

/** What the kernel said about the selected tasks at one moment. */
export interface Sample {
  /** When the sample was begun, Unix milliseconds. */
  readonly timeMs: number;
  readonly host: string;
  readonly bootId: Reading<string>;
  /** The kernel's release, as uname(2) gives it. */
  readonly kernel: string;
  /** When the host was booted, Unix seconds (btime of /proc/stat). */
  readonly bootTimeSeconds: number;
  readonly ticksPerSecond: number;
  /** Absent where it was not noted. */
  readonly source?: Source;
  /**
   * Threads in the states that are selected, left out as they are not the main one of their process. Absent where
   * threads are selected, and where the source does not know without more work.
   */
  readonly moreThreads?: number;
  readonly observations: readonly Observation[];
  /**
   * Tasks that selected ones wait for, one behind the other, or that wait for a selected vfork child, and that are not
   * selected; where the source can tell.
   */
  readonly holders?: readonly Observation[];
  /**
   * Tasks that were selected and of which at most what their status tells is in `observations`. {@link
   * everythingUnread} has the rest too.
   */
  readonly unread: readonly Unread[];
}

/** The observations of a sample that share a stack. */
export interface Group {
  /** Undefined for those that have none: they ran in user space, are zombies, or their stack could not be read. */
  readonly stack: Stack | undefined;
  readonly observations: readonly Observation[];
}

/** When the task was started, whole Unix seconds, rounded down; undefined where that could not be read. */
export function startTimeSeconds(task: Task, sample: Sample): number | undefined {
  if (task.startTicks === undefined) return undefined;
  return Math.floor(task.startTicks / sample.ticksPerSecond) + sample.bootTimeSeconds;
}

/** Everything the sample has to say about what could not be read: whole tasks first, then stacks and command lines. */
export function everythingUnread(sample: Sample): Unread[] {
  const unread = [...sample.unread];
  // The threads of a process share the reading of its command line: what happened to it is said once.
  const shared = new Set<Reading<string>>();
  for (const { task, stack, systemCall } of sample.observations) {
    const { tid, comm, commandLine, uid, cgroup, startTicks } = task;
    // Of those without a stat, that is said.
    if (startTicks === undefined) continue;
    const note = (what: Unread['what'], reading: Reading<unknown> | undefined) => {
      const why = missOf(reading);
      if (why !== undefined) unread.push({ tid, comm, what, why });
    };
    note('stack', stack);
    if (!shared.has(commandLine)) note('commandLine', commandLine);
    shared.add(commandLine);
    note('uid', uid);
    note('cgroup', cgroup);
    note('systemCall', systemCall);
  }
  return unread;
}

function missOf(reading: Reading<unknown> | undefined): Unread['why'] | undefined {
  if (reading === undefined) return undefined;
  if ('unread' in reading) return reading.unread;
  return reading.cut === true ? 'cut' : undefined;
}
