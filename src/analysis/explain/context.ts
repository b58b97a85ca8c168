import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import type { Pattern } from '../rules/rule.ts';
import { systemCallOf } from '../system-call-name.ts';
import { wholeName } from './pattern.ts';

/** Functions that call the function of a work, the innermost first. */
export const WORK = wholeName(['process_one_work', 'process_scheduled_works', 'worker_thread', 'run_workqueue']);
/** Functions that run those of others, in a thread or worker. */
export const RUNNER = wholeName([
  'md_thread',
  'kthread_worker_fn',
  'rescuer_thread',
  'smpboot_thread_fn',
  /irq_(?:forced_)?thread(?:_fn)?/,
  'btrfs_work_helper',
  'normal_work_helper',
  'async_run_entry_fn',
  'work_for_cpu_fn',
]);
export const KERNEL_THREAD = wholeName(['kthread', 'kernel_thread_helper', 'kernel_thread_starter']);

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
  ['load a kernel module', 'do_init_module', 'load_module'],
  ['start the kernel (boot)', 'do_basic_setup', 'kernel_init_freeable', 'kernel_init'],
  ['handle a page fault', /asm_exc_page_fault|exc_page_fault|page_fault|do_page_fault|do_mem_abort/],
  ['close a file', '__fput', 'fput', '__fput_sync', 'filp_close'],
  ['exit', 'do_exit'],
  ['write the changes of a file (fsync)', 'vfs_fsync_range', 'vfs_fsync', 'do_fsync'],
  ['change the attributes of a file', 'notify_change', /ch(?:mod|own)_common|(?:vfs_)?utimes(?:_common)?|ext3_setattr/],
  ['read the attributes of a file', 'vfs_getattr', 'vfs_getattr_nosec', /vfs_(?:statx|fstat|fstatat)(?:_path|_fd)?/],
  ['use the extended attributes of a file', /_?_?vfs_(?:get|set|list|remove)xattr(?:_\w+)?/, 'path_getxattr'],
  ['list a directory', 'iterate_dir', 'vfs_readdir'],
  ['remove a file', 'vfs_unlink', 'do_unlinkat', 'filename_unlinkat'],
  ['remove a directory', 'vfs_rmdir', 'do_rmdir', 'filename_rmdir'],
  ['create a directory', 'vfs_mkdir', 'do_mkdirat', 'filename_mkdirat'],
  ['rename a file', 'vfs_rename', 'do_renameat2', 'filename_renameat2'],
  ['link a file', 'vfs_link', 'do_linkat', 'vfs_symlink', 'do_symlinkat'],
  ['truncate a file', 'do_truncate', 'vfs_truncate', 'do_ftruncate', 'do_sys_ftruncate'],
  ['change the allocated range of a file (fallocate)', 'vfs_fallocate'],
  ['mount a file system', 'vfs_get_tree', 'mount_fs', 'vfs_kern_mount', 'do_new_mount'],
  ['unmount a file system', 'generic_shutdown_super', 'deactivate_locked_super', 'do_umount', 'cleanup_mnt'],
  ['write all dirty data (sync)', 'ksys_sync', 'sync_filesystem'],
  ['start a new program (exec)', 'bprm_execve', 'do_execveat_common', '__do_execve_file', 'load_elf_binary'],
  ['copy data between files', 'do_splice_direct', 'splice_file_to_pipe', 'vfs_copy_file_range'],
  ['look up a path', 'link_path_walk', 'path_lookupat', 'filename_lookup'],
  ['carry out an ioctl', 'do_vfs_ioctl', 'vfs_ioctl'],
  ['carry out an io_uring request', 'io_issue_sqe', '__io_issue_sqe', 'io_wq_submit_work'],
  ['open a file', 'do_filp_open', 'path_openat', 'do_sys_open', 'do_sys_openat2'],
  ['send on a socket', 'sock_write_iter', /(?:__)?sock_sendmsg(?:_nosec)?/, 'sock_aio_write'],
  ['receive on a socket', 'sock_read_iter', /sock_recvmsg(?:_nosec)?/, 'sock_aio_read'],
  ['write to a terminal', 'tty_write', 'file_tty_write'],
  ['read from a terminal', 'tty_read'],
  ['set up a device that was found', 'really_probe', 'call_driver_probe'],
  ['unbind a device from its driver', 'unbind_store'],
  ['take a device from its driver', 'device_release_driver_internal', '__device_release_driver'],
  ['read from a file, pipe or device', 'vfs_read', '__vfs_read', 'vfs_readv', 'do_readv'],
  ['write to a file, pipe or device', 'vfs_write', '__vfs_write', 'vfs_writev', 'do_writev'],
];
const COMPILED = PURPOSES.map(([purpose, ...names]) => [purpose, wholeName(names)] as const);

/** Purposes, and the system calls that have them. */
const SYSTEM_CALLS: ReadonlyMap<string, string> = new Map(
  (
    [
      ['carry out an ioctl', 'ioctl'],
      ['open a file', 'open openat openat2 creat'],
      ['close a file', 'close'],
      ['close files', 'close_range'],
      ['read from a file, pipe or device', 'read pread64 readv preadv preadv2'],
      ['write to a file, pipe or device', 'write pwrite64 writev pwritev pwritev2'],
      ['move data between two files', 'splice tee vmsplice sendfile copy_file_range'],
      ['mount a file system', 'mount move_mount fsmount'],
      ['unmount a file system', 'umount'],
      ['look up a file', 'stat lstat newfstatat fstatat64 statx access faccessat faccessat2 readlink'],
      ['list a directory', 'getdents getdents64'],
      ['delete a file', 'unlink unlinkat'],
      ['delete a directory', 'rmdir'],
      ['create a directory', 'mkdir mkdirat'],
      ['rename a file', 'rename renameat renameat2'],
      ['change the size of a file', 'truncate ftruncate fallocate'],
      ['have the data of a file written', 'fsync fdatasync msync sync_file_range'],
      ['have all dirty data written', 'sync syncfs'],
      ['start a new program (exec)', 'execve execveat'],
      ['create a process or thread', 'clone clone3 fork vfork'],
      ['exit', 'exit exit_group'],
      ['wait for a child process', 'wait4 waitid waitpid'],
      ['create namespaces', 'unshare'],
      ['enter a namespace', 'setns'],
      ['trace another task (ptrace)', 'ptrace'],
      ['change its memory map', 'mmap munmap mremap mprotect brk madvise process_madvise'],
      ['lock its memory', 'mlock mlock2 mlockall munlock munlockall'],
      ['move pages of a process', 'migrate_pages move_pages mbind'],
      ['copy memory of another process', 'process_vm_readv process_vm_writev'],
      ['send on a socket', 'sendto sendmsg sendmmsg'],
      ['receive on a socket', 'recvfrom recvmsg recvmmsg'],
      ['create a socket', 'socket socketpair'],
      ['bind a socket to an address', 'bind'],
      ['connect a socket', 'connect'],
      ['accept a connection', 'accept accept4'],
      ['set an option of a socket', 'setsockopt'],
      ['read an option of a socket', 'getsockopt'],
      ['shut down a connection', 'shutdown'],
      ['set the clock', 'clock_settime clock_adjtime settimeofday adjtimex'],
      ['change how a task is scheduled', 'sched_setattr sched_setscheduler sched_setparam setpriority'],
      ['change on which CPUs a task may run', 'sched_setaffinity'],
      ['make all threads see its writes (membarrier)', 'membarrier'],
      ['set up a performance counter (perf)', 'perf_event_open'],
      ['use BPF', 'bpf'],
      ['use keys', 'keyctl add_key request_key'],
      ['use io_uring', 'io_uring_enter io_uring_setup io_uring_register'],
      ['load a kernel module', 'init_module finit_module'],
      ['unload a kernel module', 'delete_module'],
      ['load a kernel for kexec', 'kexec_load kexec_file_load'],
      ['switch a swap device on', 'swapon'],
      ['switch a swap device off', 'swapoff'],
      ['shut down or restart the host', 'reboot'],
      ['read the kernel log', 'syslog'],
      ['seek in a file', 'lseek llseek'],
      ['look for events on its file descriptors', 'epoll_wait epoll_pwait epoll_pwait2 poll ppoll select pselect6'],
      ['change a set of watched files (epoll)', 'epoll_ctl'],
      ['read the size of a file system', 'statfs fstatfs statfs64 fstatfs64'],
      ['lock a file', 'flock'],
      ['lock a file, or change an open one', 'fcntl fcntl64'],
      ['change the times of a file', 'utimensat utime utimes futimesat'],
      ['change the mode of a file', 'chmod fchmod fchmodat fchmodat2'],
      ['change the owner of a file', 'chown fchown lchown fchownat'],
      ['set an extended attribute', 'setxattr lsetxattr fsetxattr setxattrat'],
      ['read an extended attribute', 'getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr'],
      ['remove an extended attribute', 'removexattr lremovexattr fremovexattr'],
      ['create a file or device node', 'mknod mknodat'],
      ['create a symbolic link', 'symlink symlinkat'],
      ['link a file', 'link linkat'],
      ['change its directory', 'chdir fchdir chroot'],
      ['replace the root file system', 'pivot_root'],
      ['change or read disk quotas', 'quotactl quotactl_fd'],
      ['submit asynchronous I/O', 'io_submit'],
      ['collect asynchronous I/O', 'io_getevents io_pgetevents'],
      ['end its asynchronous I/O', 'io_destroy'],
      ['read ahead in a file', 'readahead fadvise64'],
      ['send a signal', 'kill tgkill tkill rt_sigqueueinfo pidfd_send_signal'],
      ['set up, or change, a filter of system calls', 'seccomp'],
      ['attach or remove System V shared memory', 'shmat shmdt shmctl shmget'],
      ['use a System V semaphore', 'semop semtimedop semctl'],
      ['watch files', 'inotify_add_watch inotify_rm_watch fanotify_mark fanotify_init'],
      ['find out where its pages are', 'mincore'],
      ['change the host name', 'sethostname setdomainname'],
      ['handle faults of its own memory', 'userfaultfd'],
    ] as const
  ).flatMap(([purpose, calls]) => calls.split(' ').map((call) => [call, purpose] as const)),
);

/**
 * Where a task is in an unknown function: ", in order to ..." or ", in ...", by the functions further out; empty if
 * they do not tell.
 */
export function contextOf(frames: readonly Frame[], depth: number): string {
  const names = frames.map(({ symbol }) => functionName(symbol));
  for (let at = depth + 1; at < names.length; at++) {
    const name = names[at] ?? '';
    const purpose = COMPILED.find(([, functions]) => functions.test(name))?.[0];
    if (purpose !== undefined) return `, in order to ${purpose}`;
    const call = systemCallOf(name);
    if (call !== undefined) {
      const known = SYSTEM_CALLS.get(call);
      return known === undefined ? `, in the system call ${call}` : `, in order to ${known}`;
    }
    const inside = names[at - 1] ?? '';
    if (RUNNER.test(name) && !RUNNER.test(inside) && at - 1 > depth) {
      const task = names.slice(at).some((outer) => WORK.test(outer)) ? 'worker' : 'thread';
      return `, in a kernel ${task} (${inside})`;
    }
    if (WORK.test(name) && at - 1 === depth && (WORK.test(inside) || RUNNER.test(inside))) return '';
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
