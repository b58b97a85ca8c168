/** A system call in progress, as /proc/PID/syscall prints it (fs/proc/base.c, proc_pid_syscall). */
export interface SystemCall {
  /** The number on the task's architecture. */
  readonly number: number;
  /** All six argument registers, even those the call does not use: `0x` and unsigned hexadecimal digits. */
  readonly arguments: readonly string[];
  /** This and `programCounter` are absent from what was read back from a format: none of them tells it. */
  readonly stackPointer?: string;
  readonly programCounter?: string;
  /** Absent if it is not known for the architecture. */
  readonly name?: string;
  /**
   * The call in one line of safe text, with what its arguments referred to at the time of the sample:
   * `read(3</var/lib/db/wal>, ..., 8192)`. Absent if it was not looked up.
   */
  readonly text?: string;
}

/** `running`: the task was on a CPU when asked. `none`: it waits outside of any system call, as in a page fault. */
export type SystemCallState = SystemCall | 'running' | 'none';
