import type { TaskFields } from './fields.ts';
import type { Reading } from './reading.ts';

/** The kernel's state letters, as /proc/PID/stat prints them (fs/proc/array.c, task_state_array). */
export const STATES = ['R', 'S', 'D', 'I', 'T', 't', 'Z', 'X', 'P'] as const;
export type State = (typeof STATES)[number];

/** Who a task is, for as long as it lives. A text may tell none of it. */
export interface TaskId {
  /** Of the boot of its host: TIDs and ticks are unique within one. */
  readonly bootId?: string;
  /** In the PID namespace of the procfs that was read. */
  readonly tid?: number;
  /** Clock ticks from boot to the task's start. */
  readonly startTicks?: number;
}

/** The same text for the same task, whatever sample it was seen in. */
export function taskKey({ bootId = '', tid = 0, startTicks }: TaskId): string {
  return `${bootId}/${tid}/${startTicks ?? ''}`;
}

/** A task with what it is like, which may change while it lives. */
export interface Task extends TaskFields {
  readonly id: TaskId;
  /** The process (the kernel's tgid). */
  readonly pid?: number;
  readonly ppid?: number;
  /** Bytes that are not UTF-8 stand as lone surrogates U+DC80 to U+DCFF, see decodeBytes; nothing is escaped. */
  readonly comm?: string;
  /**
   * /proc/PID/cmdline as it is, a NUL behind each argument, decoded like `comm`; empty for kernel threads and zombies,
   * which have none. {@link commandLineText} is how it is shown.
   */
  readonly commandLine: Reading<string>;
  readonly kernelThread?: boolean;
  /** It is kstack, which takes the sample. */
  readonly own?: true;
  /** The name of the process's main thread, where this is another one. */
  readonly processName?: string;
  /** The name that its `uid` has on the host, where there is one. */
  readonly user?: string;
}

/** How many tasks a {@link TaskTable} keeps beyond those of the last sample. */
const MOST_OLD = 10_000;

/** Gives a task that is the same, and is like it was, as the same object throughout a stream of samples. */
export class TaskTable {
  readonly #tasks = new Map<number, Task>();

  intern(task: Task): Task {
    const { tid } = task.id;
    if (tid === undefined) return task;
    const known = this.#tasks.get(tid);
    if (known !== undefined && isAlike(known, task)) return known;
    this.#tasks.set(tid, task);
    return task;
  }

  /** Between samples: lets go of what has ended, once there is much of it. */
  trim(tasksInSample: number): void {
    if (this.#tasks.size > 2 * tasksInSample + MOST_OLD) this.#tasks.clear();
  }
}

function isAlike(a: Task, b: Task): boolean {
  return (
    a.id.startTicks === b.id.startTicks &&
    a.id.bootId === b.id.bootId &&
    a.pid === b.pid &&
    a.ppid === b.ppid &&
    a.comm === b.comm &&
    a.kernelThread === b.kernelThread &&
    a.user === b.user &&
    a.own === b.own &&
    a.processName === b.processName &&
    isSame(a.commandLine, b.commandLine) &&
    isSame(a.uid, b.uid) &&
    isSame(a.cgroup, b.cgroup)
  );
}

function isSame<T>(a: Reading<T> | undefined, b: Reading<T> | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if ('unread' in a) return 'unread' in b && a.unread === b.unread;
  return 'value' in b && a.value === b.value && a.cut === b.cut;
}
