/** A system call in progress, as /proc/PID/syscall prints it (fs/proc/base.c, proc_pid_syscall). */
export interface SystemCall {
  /** Its number on the architecture of the task. */
  readonly number: number;
  /** The six argument registers as `0x` and hexadecimal digits, unsigned, also those that the call does not take. */
  readonly arguments: readonly string[];
  readonly stackPointer: string;
  readonly programCounter: string;
  /** Absent where it is not known for the architecture. */
  readonly name?: string;
  /**
   * The call in one line of safe text, with what its arguments referred to when the sample was taken:
   * `read(3</var/lib/db/wal>, ..., 8192)`. Absent where that was not looked up.
   */
  readonly text?: string;
}

/**
 * What a task is doing for user space: `running` where it was on a CPU when asked, `none` where it waits outside of any
 * system call (a page fault).
 */
export type SystemCallState = SystemCall | 'running' | 'none';
