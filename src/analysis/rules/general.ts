/**
 * What to look at where no rule tells: commands of COMMANDS that wait for nothing that may hang. The page of -f html
 * has them, too, but not that table.
 */

const AGAIN = 'kstack -L -p PID -f long';
const LOG = 'dmesg -T | tail -50';

/** Whether the kernel still runs there for the task, and what else its CPU has to do. */
export const RUNS_IN_KERNEL: readonly string[] = [AGAIN, 'cat /proc/TID/schedstat', 'cat /proc/interrupts', LOG];
export const RUNS_IN_PROGRAM: readonly string[] = [AGAIN, 'cat /proc/TID/schedstat'];
/** What a CPU does that lets no other task run: on itself, no command does. */
export const KEEPS_CPU: readonly string[] = [LOG, 'cat /proc/interrupts', 'kstack -R -L -f long'];
/** Whether the task still waits there, and what the kernel says of it. */
export const WAITS_FOR_UNKNOWN: readonly string[] = [AGAIN, 'cat /proc/TID/wchan', 'cat /proc/TID/status', LOG];

export const GENERAL_ADVICE: Readonly<Record<string, readonly string[]>> = {
  RUNS_IN_KERNEL,
  RUNS_IN_PROGRAM,
  KEEPS_CPU,
  WAITS_FOR_UNKNOWN,
};
