import type { Stack } from '../../../model/stack.ts';

/**
 * The functions that restart_syscall(2) calls, and the calls that leave them to be called: what they set
 * restart_block.fn to (kernel/time/hrtimer.c, posix-cpu-timers.c and alarmtimer.c, fs/select.c, kernel/futex). A
 * clock_nanosleep mostly leaves what a nanosleep does. No compiler makes a jump of the calls that these functions make:
 * they are on the stack for as long as the call waits.
 */
const RESTARTS: ReadonlyMap<string, string> = new Map([
  ['hrtimer_nanosleep_restart', 'nanosleep'],
  ['posix_cpu_nsleep_restart', 'clock_nanosleep'],
  ['alarm_timer_nsleep_restart', 'clock_nanosleep'],
  ['do_restart_poll', 'poll'],
  ['futex_wait_restart', 'futex'],
]);

/** The system call that a task in restart_syscall(2) resumes, as its stack tells; undefined where it does not. */
export function resumedCall({ frames }: Stack): string | undefined {
  for (const { symbol } of frames) {
    // A compiler that makes a copy of a function names it with a suffix: .constprop.0, .llvm.123.
    const call = RESTARTS.get(symbol.replace(/\..*/, ''));
    if (call !== undefined) return call;
  }
  return undefined;
}
