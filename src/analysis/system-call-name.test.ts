import { expect, it } from 'vitest';
import { functionName } from './function-name.ts';
import { systemCallOf } from './system-call-name.ts';

it.each([
  ['__x64_sys_newfstat', 'fstat'],
  ['__do_sys_newlstat', 'lstat'],
  ['__se_sys_newstat', 'stat'],
  ['__arm64_sys_newuname', 'uname'],
  ['__arm64_sys_newfstatat', 'newfstatat'],
  ['__x64_sys_sendfile64', 'sendfile'],
  ['__ia32_compat_sys_futex_time32', 'futex'],
  ['__ia32_sys_futex_time32', 'futex'],
  ['__x64_sys_ppoll_time32', 'ppoll'],
  ['__ia32_sys_clock_settime32', 'clock_settime'],
  ['__ia32_sys_timerfd_settime32', 'timerfd_settime'],
  ['__ia32_sys_utime32', 'utime'],
  ['__ia32_sys_time32', 'time'],
  ['__ia32_sys_setresuid16', 'setresuid'],
  ['__ia32_sys_lchown16', 'lchown'],
  ['__ia32_sys_getgroups16', 'getgroups'],
  ['__ia32_sys_ia32_fallocate', 'fallocate'],
  ['__ia32_sys_old_getrlimit', 'getrlimit'],
  ['__x64_sys_oldumount', 'umount'],
  ['__x64_sys_mmap_pgoff', 'mmap'],
  ['__arm64_sys_arm64_personality', 'personality'],
  ['__x64_sys_pread64', 'pread64'],
  ['__x64_sys_olduname', 'olduname'],
  ['__x64_sys_settimeofday', 'settimeofday'],
  ['ksys_read', 'read'],
  ['sys_info', undefined],
  ['ksys_sync_helper', undefined],
])('%s is the system call %s', (name, call) => {
  expect(systemCallOf(functionName(name))).toBe(call);
});
