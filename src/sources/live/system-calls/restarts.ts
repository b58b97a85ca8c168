import type { Stack } from '../../../model/stack.ts';

/**
 * Functions that are on the stack while restart_syscall(2) resumes a call: those that the call left to be called
 * (restart_block.fn), or what these call (fs/select.c, kernel/futex, kernel/time/posix-cpu-timers.c, alarmtimer.c).
 */
const RESUMED: ReadonlyMap<string, string> = new Map([
  ['do_restart_poll', 'poll'],
  ['futex_wait_restart', 'futex'],
  ['posix_cpu_nsleep_restart', 'clock_nanosleep'],
  ['alarmtimer_do_nsleep', 'clock_nanosleep'],
]);

/** How a system call is entered, on x86-64 and arm64; older kernels end a stack with -1. */
const ENTRY = new RegExp(
  `^(?:${[
    '(?:__\\w+_|__do_)?sys_restart_syscall',
    'SyS_restart_syscall',
    '(?:x64|ia32)_sys_call',
    '(?:__)?do_(?:syscall_64|fast_syscall_32|SYSENTER_32|int80_\\w+)',
    '(?:asm_)?int80_emulation',
    'entry_(?:SYSCALL|SYSENTER|INT80)\\w+',
    'invoke_syscall',
    '(?:do_)?el0_svc\\w*',
    'el0t?_(?:64_)?sync(?:_handler)?',
    '0xffffffffffffffff',
  ].join('|')})$`,
);

/**
 * The system call that a task in restart_syscall(2) resumes, as its stack tells; undefined where it does not. A
 * clock_nanosleep mostly leaves the same as a nanosleep, whose functions the kernel leaves out of stacks
 * (hrtimer_nanosleep_restart and do_nanosleep are __sched, kernel/time/hrtimer.c): of no other call nothing is left.
 */
export function resumedCall({ frames }: Stack): string | undefined {
  // A compiler that makes a copy of a function names it with a suffix: .constprop.0, .llvm.123.
  const names = frames.map(({ symbol }) => symbol.replace(/\..*/, ''));
  for (const name of names) {
    const call = RESUMED.get(name);
    if (call !== undefined) return call;
  }
  return names.length > 0 && names.every((name) => ENTRY.test(name)) ? 'nanosleep' : undefined;
}
