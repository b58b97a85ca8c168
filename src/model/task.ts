import { FIELD_NAMES, FIELDS, type TaskFields } from './fields.ts';
import type { Reading } from './reading.ts';

/** The kernel's state letters, as /proc/PID/stat prints them (fs/proc/array.c, task_state_array). */
export const STATES = ['R', 'S', 'D', 'I', 'T', 't', 'Z', 'X', 'P'] as const;
export type State = (typeof STATES)[number];

/** The identity of a task, for as long as it lives. A text may contain none of it. */
export interface TaskId {
  /** The boot of its host: TIDs and ticks are unique only within one boot. */
  readonly bootId?: string;
  /** The number in the PID namespace of the procfs that was read. */
  readonly tid?: number;
  /** Clock ticks from boot to the task's start. */
  readonly startTicks?: number;
  /**
   * In the classic text, which has no ticks: its start by the clock of its host, as printed: `2026/11/25 03:09:00`. If
   * somebody sets that clock, it stays what it was first.
   */
  readonly startLocal?: string;
}

/** The same text for the same task, whatever sample it was seen in. */
export function taskKey({ bootId, tid, startTicks, startLocal }: TaskId): string {
  const key = `${bootId ?? ''}/${tid ?? ''}/${startTicks ?? ''}`;
  return startLocal === undefined ? key : `${key}@${startLocal}`;
}

/** A task and its attributes, which may change while it lives. */
export interface Task extends TaskFields {
  readonly id: TaskId;
  /** The process (the kernel's tgid). */
  readonly pid?: number;
  readonly ppid?: number;
  /** Not escaped. Bytes that are not UTF-8 are lone surrogates U+DC80 to U+DCFF, see decodeBytes. */
  readonly comm?: string;
  /**
   * The unchanged /proc/PID/cmdline, with a NUL after each argument, decoded like `comm`. Empty for kernel threads and
   * zombies. {@link commandLineText} makes it readable.
   */
  readonly commandLine: Reading<string>;
  readonly kernelThread?: boolean;
  /** Set for kstack itself. */
  readonly own?: true;
  /** The name of the process's main thread, of another thread. */
  readonly processName?: string;
  /** The name of its `uid` on the host, if there is one. */
  readonly user?: string;
}

/** How many ended tasks a {@link TaskTable} may keep in addition to an eighth of the tasks of the last sample. */
const MOST_OLD = 100;

/** A task, and the objects it was made from. */
interface Entry {
  readonly task: Task;
  readonly origin: object;
  readonly commandLine: Reading<string>;
}

/** Keeps an unchanged task the same object throughout a stream of samples. */
export class TaskTable {
  readonly #entries = new Map<number, Entry>();

  /** The task made from these same objects before: a source that keeps unchanged objects need not rebuild it. */
  recall(tid: number, origin: object, commandLine: Reading<string>): Task | undefined {
    const entry = this.#entries.get(tid);
    return entry?.origin === origin && entry.commandLine === commandLine ? entry.task : undefined;
  }

  /** `origin` is the object that the task was made from, apart from its command line. */
  intern(tid: number, task: Task, origin: object): Task {
    const known = this.#entries.get(tid)?.task;
    const same = known !== undefined && isAlike(known, task) ? known : task;
    this.#entries.set(tid, { task: same, origin, commandLine: task.commandLine });
    return same;
  }

  /** Call this between samples. Forgets what the last one, of so many tasks, has not, once that is much. */
  trim(count: number, tasks: () => readonly Task[]): void {
    if (this.#entries.size <= (9 / 8) * count + MOST_OLD) return;
    const seen = new Set(tasks().map(({ id }) => id.tid));
    for (const tid of this.#entries.keys()) if (!seen.has(tid)) this.#entries.delete(tid);
  }
}

const TASK_FIELDS = FIELD_NAMES.filter((field): field is keyof TaskFields => FIELDS[field].of === 'task');

function isAlike(a: Task, b: Task): boolean {
  return (
    a.id.startTicks === b.id.startTicks &&
    a.id.startLocal === b.id.startLocal &&
    a.pid === b.pid &&
    a.ppid === b.ppid &&
    a.comm === b.comm &&
    isSame(a.commandLine, b.commandLine) &&
    TASK_FIELDS.every((field) => isSame<unknown>(a[field], b[field])) &&
    a.id.bootId === b.id.bootId &&
    a.processName === b.processName &&
    a.user === b.user &&
    a.own === b.own &&
    a.kernelThread === b.kernelThread
  );
}

function isSame<T>(a: Reading<T> | undefined, b: Reading<T> | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if ('unread' in a) return 'unread' in b && a.unread === b.unread && a.detail === b.detail;
  return 'value' in b && a.value === b.value && a.cut === b.cut;
}
