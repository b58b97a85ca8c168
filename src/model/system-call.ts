/** A system call in progress, as /proc/PID/syscall prints it (fs/proc/base.c, proc_pid_syscall). */
export interface SystemCall {
  /** Its number on the architecture of the task. */
  readonly number: number;
  /** The six argument registers, unsigned, also those that the call does not take. */
  readonly arguments: readonly bigint[];
  readonly stackPointer: bigint;
  readonly programCounter: bigint;
}

/**
 * What a task is doing for user space: `running` where it was on a CPU when asked, `none` where it waits outside of any
 * system call (a page fault).
 */
export type Doing = SystemCall | 'running' | 'none';
