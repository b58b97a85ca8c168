import type { Frame } from '../model/stack.ts';
import { functionName } from './function-name.ts';
import { wholeName } from './pattern.ts';
import type { Pattern } from './rules/rule.ts';

const SYSTEM_CALL = /^(?:ksys_|sys_)(\w+)$/;
const WORK = wholeName(['process_one_work', 'process_scheduled_works', 'worker_thread', 'run_workqueue']);
const KERNEL_THREAD = wholeName(['kthread', 'kernel_thread_helper', 'kernel_thread_starter']);

/** What a task does that is in one of these functions, to complete "in order to". */
const PURPOSES: readonly (readonly [purpose: string, ...names: Pattern[]])[] = [
  ['write to a file of a cgroup', 'cgroup_file_write'],
  ['read a file of a cgroup', 'cgroup_seqfile_show'],
  ['write to a file of sysfs', 'sysfs_kf_write', 'sysfs_kf_bin_write', 'kernfs_fop_write', 'kernfs_fop_write_iter'],
  ['read a file of sysfs', /sysfs_kf_(?:seq_show|read|bin_read)/, 'kernfs_seq_show', /kernfs_fop_read(?:_iter)?/],
  ['read a file of /proc', /proc_reg_read(?:_iter)?/, 'proc_single_show', 'proc_pid_readlink'],
  ['write to a file of /proc', 'proc_reg_write', 'proc_simple_write'],
  ['use a setting of /proc/sys', 'proc_sys_call_handler', 'proc_sys_read', 'proc_sys_write'],
  ['use a file of debugfs', /full_proxy_\w+/, /debugfs_attr_\w+/],
  ['load a kernel module', 'do_init_module', 'load_module', 'do_one_initcall'],
  ['handle a page fault', /asm_exc_page_fault|exc_page_fault|page_fault|do_page_fault|do_mem_abort/],
  ['close a file', '__fput', 'fput', '__fput_sync', 'filp_close'],
  ['exit', 'do_exit'],
  ['carry out an ioctl', 'do_vfs_ioctl', 'vfs_ioctl'],
  ['open a file', 'do_filp_open', 'path_openat', 'do_sys_open', 'do_sys_openat2'],
  ['read from a file, pipe or device', 'vfs_read', '__vfs_read', 'vfs_readv', 'do_readv'],
  ['write to a file, pipe or device', 'vfs_write', '__vfs_write', 'vfs_writev', 'do_writev'],
];
const COMPILED = PURPOSES.map(([purpose, ...names]) => [purpose, wholeName(names)] as const);

const SYSTEM_CALLS: Readonly<Record<string, string>> = {
  ioctl: 'carry out an ioctl',
  open: 'open a file',
  openat: 'open a file',
  openat2: 'open a file',
  close: 'close a file',
  read: 'read from a file, pipe or device',
  write: 'write to a file, pipe or device',
  mount: 'mount a file system',
  umount: 'unmount a file system',
  execve: 'start a new program (exec)',
  init_module: 'load a kernel module',
  finit_module: 'load a kernel module',
  delete_module: 'unload a kernel module',
  reboot: 'shut down or restart the host',
};

/**
 * Where a task is in an unknown function: ", in order to ..." or ", in ...", by the functions further out; empty if they
 * do not tell.
 */
export function contextOf(frames: readonly Frame[], depth: number): string {
  const names = frames.map(({ symbol }) => functionName(symbol));
  for (let at = depth + 1; at < names.length; at++) {
    const name = names[at] ?? '';
    const purpose = COMPILED.find(([, functions]) => functions.test(name))?.[0];
    if (purpose !== undefined) return `, in order to ${purpose}`;
    const call = SYSTEM_CALL.exec(name)?.[1];
    if (call !== undefined) {
      const known = SYSTEM_CALLS[call];
      return known === undefined ? `, in the system call ${call}` : `, in order to ${known}`;
    }
    if (WORK.test(name)) return `, in a kernel worker${functionText(names[at - 1], at - 1, depth)}`;
    if (KERNEL_THREAD.test(name)) return `, in a kernel thread${functionText(names[at - 1], at - 1, depth)}`;
  }
  return names.length > depth + 1 && /^ret_from_(?:fork|kernel_thread)/.test(names.at(-1) ?? '')
    ? ', in a kernel thread'
    : '';
}

/** The function of a worker or thread, unless it is the one that waits. */
function functionText(name: string | undefined, at: number, depth: number): string {
  return name === undefined || at <= depth ? '' : ` (${name})`;
}
