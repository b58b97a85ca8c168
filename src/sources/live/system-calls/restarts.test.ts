import { expect, it } from 'vitest';
import { parseFrames } from '../../../model/stack.ts';
import { resumedCall } from './restarts.ts';

const X64 = 'do_syscall_64 entry_SYSCALL_64_after_hwframe';
const ARM64 = 'invoke_syscall el0_svc_common.constprop.0 do_el0_svc el0_svc el0t_64_sync_handler el0t_64_sync';

it.each([
  [`do_sys_poll do_restart_poll.llvm.123 ${X64}`, 'poll'],
  [`futex_wait_queue __futex_wait futex_wait futex_wait_restart ${ARM64}`, 'futex'],
  [`do_cpu_nanosleep posix_cpu_nsleep_restart ${X64}`, 'clock_nanosleep'],
  [`alarmtimer_do_nsleep ${X64}`, 'clock_nanosleep'],
  [X64, 'nanosleep'],
  [ARM64, 'nanosleep'],
  [`__do_sys_restart_syscall x64_sys_call ${X64}`, 'nanosleep'],
  [`__arm64_sys_restart_syscall ${ARM64}`, 'nanosleep'],
  ['ia32_sys_call do_int80_emulation asm_int80_emulation', 'nanosleep'],
  ['__do_fast_syscall_32 do_fast_syscall_32 entry_SYSENTER_compat_after_hwframe', 'nanosleep'],
  [`pipe_read vfs_read ksys_read ${X64}`, undefined],
  [`constructor ${X64}`, undefined],
  ['', undefined],
])('%s resumes %j', (functions, call) => {
  const lines = functions.split(' ').filter((name) => name !== '');
  const frames = parseFrames(lines.map((name) => `[<0>] ${name}+0x1/0x2`).join('\n'));
  expect(resumedCall({ id: 0, frames })).toBe(call);
});

it('takes the stacks of kernels that end them with -1', () => {
  const frames = parseFrames(
    '[<0>] SyS_restart_syscall+0x1/0x2\n[<0>] do_syscall_64+0x1/0x2\n[<0>] 0xffffffffffffffff',
  );
  expect(resumedCall({ id: 0, frames })).toBe('nanosleep');
});
