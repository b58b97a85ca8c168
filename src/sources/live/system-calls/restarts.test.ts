import { expect, it } from 'vitest';
import { parseFrames } from '../../../model/stack.ts';
import { resumedCall } from './restarts.ts';

const stackOf = (...functions: string[]) => ({
  id: 0,
  frames: parseFrames(functions.map((name) => `[<0>] ${name}+0x1/0x2`).join('\n')),
});

it.each([
  [['do_nanosleep', 'hrtimer_nanosleep_restart', '__do_sys_restart_syscall'], 'nanosleep'],
  [['poll_schedule_timeout', 'do_sys_poll', 'do_restart_poll.llvm.123', '__x64_sys_restart_syscall'], 'poll'],
  [['futex_wait_queue', '__futex_wait', 'futex_wait', 'futex_wait_restart'], 'futex'],
  [['alarmtimer_do_nsleep', 'alarm_timer_nsleep_restart'], 'clock_nanosleep'],
  [['do_cpu_nanosleep', 'posix_cpu_nsleep_restart'], 'clock_nanosleep'],
  [['do_nanosleep', 'hrtimer_nanosleep', 'constructor'], undefined],
  [[], undefined],
])('%j resumes %j', (functions, call) => {
  expect(resumedCall(stackOf(...functions))).toBe(call);
});
