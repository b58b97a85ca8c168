import { OTHERS_BLOCKED } from './commands.ts';
import type { Rule, Step } from './rule.ts';

/** What handles a page fault, on all architectures. */
export const PAGE_FAULT = [
  'do_user_addr_fault',
  '__do_page_fault',
  '___do_page_fault',
  'do_page_fault',
  'exc_page_fault',
  'do_kern_addr_fault',
  'lock_mm_and_find_vma',
  'get_mmap_lock_carefully',
  'do_mem_abort',
  'handle_page_fault',
  'do_translation_fault',
  'do_DataAbort',
  'do_PrefetchAbort',
  'do_hash_fault',
  'hash__do_page_fault',
  'do_dat_exception',
  'do_protection_exception',
  'do_exception',
];

/** Commands about the threads that share the mmap lock. */
export const THREADS = ['kstack -L -p PID -f long', ...OTHERS_BLOCKED];
const HOLDER =
  'A page fault, munmap or fork of another thread is slow or stuck: it waits for a disk, a server or memory.';

interface LockOfMemory {
  readonly id: string;
  /** Functions that take the mmap lock and wait for nothing else. */
  readonly match: readonly Step[];
  readonly builtIn?: readonly string[];
  readonly inOrderTo: string;
  readonly source: string;
}

/** What tasks take the mmap lock of their own process for. */
const OWN_MMAP_LOCK: readonly LockOfMemory[] = [
  {
    id: 'memory-lock-fault',
    match: [PAGE_FAULT],
    inOrderTo: 'handle a page fault',
    source: 'arch/x86/mm/fault.c: do_user_addr_fault',
  },
  {
    id: 'memory-lock',
    match: [
      [
        'vm_mmap_pgoff',
        'ksys_mmap_pgoff',
        'sys_mmap_pgoff',
        'sys_mmap',
        'sys_mmap2',
        'sys32_mmap',
        'sys32_mmap2',
        'do_mmap2',
        'vm_brk_flags',
        'do_shmat',
        'sys_remap_file_pages',
      ],
    ],
    inOrderTo: 'map memory',
    source: 'mm/util.c: vm_mmap_pgoff',
  },
  {
    id: 'memory-lock-unmap',
    match: [['__vm_munmap', 'vm_munmap', 'sys_munmap', 'do_munmap', 'ksys_shmdt', 'sys_shmdt']],
    inOrderTo: 'unmap memory',
    source: 'mm/mmap.c: __vm_munmap',
  },
  { id: 'memory-lock-heap', match: [['sys_brk']], inOrderTo: 'resize its heap (brk)', source: 'mm/mmap.c: sys_brk' },
  {
    id: 'memory-lock-remap',
    match: [['sys_mremap', 'do_mremap']],
    inOrderTo: 'change the size or place of a mapping (mremap)',
    source: 'mm/mremap.c: sys_mremap',
  },
  {
    id: 'memory-lock-protect',
    match: [['sys_mprotect', 'do_mprotect_pkey']],
    inOrderTo: 'change the protection of memory (mprotect)',
    source: 'mm/mprotect.c: do_mprotect_pkey',
  },
  {
    id: 'memory-lock-advise',
    match: [
      [
        'sys_madvise',
        'do_madvise',
        'madvise_lock',
        'madvise_do_behavior',
        'madvise_walk_vmas',
        'vector_madvise',
        'process_madvise',
      ],
    ],
    inOrderTo: 'tell the kernel how memory is used (madvise)',
    source: 'mm/madvise.c: do_madvise',
  },
  {
    id: 'memory-lock-mlock',
    match: [['do_mlock', 'sys_mlockall', 'sys_munlock', 'sys_munlockall', 'apply_vma_lock_flags', 'mlock_fixup']],
    inOrderTo: 'lock pages in memory (mlock)',
    source: 'mm/mlock.c: do_mlock',
  },
  {
    id: 'memory-lock-populate',
    match: [['__mm_populate']],
    inOrderTo: 'bring a mapping into memory in advance (mlock, MAP_POPULATE)',
    source: 'mm/gup.c: __mm_populate',
  },
  {
    id: 'memory-lock-fork',
    match: [['dup_mmap', 'dup_mm', 'copy_mm']],
    inOrderTo: 'copy its memory for a child (fork)',
    source: 'mm/mmap.c: dup_mmap',
  },
  {
    id: 'memory-lock-policy',
    match: [['do_mbind', 'kernel_mbind', 'do_set_mempolicy', 'do_get_mempolicy', 'sys_set_mempolicy_home_node']],
    inOrderTo: 'set the NUMA policy of memory',
    source: 'mm/mempolicy.c: do_mbind',
  },
  {
    id: 'memory-lock-prctl',
    match: [['prctl_set_mm', 'prctl_set_mm_map', 'prctl_set_vma', 'prctl_set_mm_exe_file']],
    inOrderTo: 'change what is recorded about its memory (prctl)',
    source: 'kernel/sys.c: prctl_set_mm',
  },
  {
    id: 'memory-lock-mincore',
    match: [['sys_mincore', 'do_mincore']],
    inOrderTo: 'ask which pages are in memory (mincore)',
    source: 'mm/mincore.c: sys_mincore',
  },
  {
    id: 'memory-lock-msync',
    match: [['sys_msync']],
    inOrderTo: 'write a mapped file back (msync)',
    source: 'mm/msync.c: sys_msync',
  },
  {
    id: 'memory-lock-exec',
    match: [['setup_arg_pages', 'elf_map', 'set_brk']],
    inOrderTo: 'set up the memory of its new program (exec)',
    source: 'fs/exec.c: setup_arg_pages',
  },
  {
    id: 'memory-lock-numa',
    match: [['task_numa_work']],
    inOrderTo: 'find out which NUMA node uses its memory',
    source: 'kernel/sched/fair.c: task_numa_work',
  },
  {
    id: 'memory-lock-core-dump',
    match: [['do_coredump', 'vfs_coredump', 'coredump_wait']],
    inOrderTo: 'write its core dump',
    source: 'fs/coredump.c: coredump_wait',
  },
  {
    id: 'memory-lock-account',
    match: [['acct_collect', 'xacct_add_tsk', 'acct_update_integrals']],
    inOrderTo: 'account for its exit',
    source: 'kernel/acct.c: acct_collect',
  },
];

/** What tasks take the mmap lock of any process for. */
const MMAP_LOCK: readonly LockOfMemory[] = [
  {
    id: 'memory-lock-pin',
    match: [
      [
        'get_user_pages_unlocked',
        'get_user_pages_fast',
        'internal_get_user_pages_fast',
        'pin_user_pages_fast',
        'pin_user_pages_unlocked',
        '__get_user_pages_locked',
        '__gup_longterm_locked',
        'gup_fast_fallback',
      ],
    ],
    inOrderTo: 'pin user memory for I/O',
    source: 'mm/gup.c: gup_fast_fallback',
  },
  {
    id: 'memory-lock-copy',
    match: [['process_vm_rw_core', 'process_vm_rw_single_vec', 'process_vm_rw']],
    inOrderTo: 'copy memory of another process (process_vm_readv)',
    source: 'mm/process_vm_access.c: process_vm_rw_single_vec',
  },
  {
    id: 'memory-lock-remote',
    match: [['access_remote_vm', '__access_remote_vm', 'access_process_vm', 'get_cmdline', 'mem_rw']],
    inOrderTo: 'read or write memory of another process',
    source: 'mm/memory.c: __access_remote_vm',
  },
  {
    id: 'memory-lock-khugepaged',
    match: [['khugepaged', 'khugepaged_scan_mm_slot', 'collapse_scan_mm_slot', 'khugepaged_do_scan']],
    inOrderTo: 'merge pages of that process into huge pages',
    source: 'mm/khugepaged.c: collapse_scan_mm_slot',
  },
  {
    id: 'memory-lock-cpuset',
    match: [['mpol_rebind_mm']],
    inOrderTo: 'move the NUMA policy of a process to its new cpuset',
    source: 'mm/mempolicy.c: mpol_rebind_mm',
  },
];

const PROC_HOLDER = 'A thread of that process is stuck with the lock held: ps, top and pgrep hang on it.';

/** Files of /proc/PID that take the mmap lock of that process. */
const PROC_FILES: readonly LockOfMemory[] = [
  {
    id: 'memory-lock-proc',
    match: [['proc_pid_cmdline_read', 'get_mm_cmdline', 'get_task_cmdline']],
    inOrderTo: 'read its command line',
    source: 'fs/proc/base.c: get_mm_cmdline',
  },
  {
    id: 'memory-lock-proc-cmdline',
    match: [
      ['access_remote_vm', '__access_remote_vm'],
      ['proc_pid_cmdline_read', 'get_mm_cmdline', 'get_task_cmdline', 'get_cmdline'],
    ],
    inOrderTo: 'read its command line',
    source: 'fs/proc/base.c: get_mm_cmdline',
  },
  {
    id: 'memory-lock-proc-environ',
    match: [['environ_read', 'access_remote_vm', '__access_remote_vm'], 'environ_read'],
    inOrderTo: 'read its environment',
    source: 'fs/proc/base.c: environ_read',
  },
  {
    id: 'memory-lock-proc-environ-start',
    match: ['environ_read'],
    inOrderTo: 'read its environment',
    source: 'fs/proc/base.c: environ_read',
  },
  {
    id: 'memory-lock-proc-maps',
    match: [
      [
        'm_start',
        'm_next',
        'show_smap',
        'do_procmap_query',
        'smaps_rollup_open',
        'show_smaps_rollup',
        'pagemap_read',
        'pagemap_scan_get_args',
        'do_pagemap_scan',
        'clear_refs_write',
        'show_numa_map',
      ],
    ],
    builtIn: ['m_start'],
    inOrderTo: 'read its memory map',
    source: 'fs/proc/task_mmu.c: m_start',
  },
  {
    // Lists of mounts are read without seq_read.
    id: 'memory-lock-proc-maps-read',
    match: ['m_start', 'seq_read_iter', 'seq_read', 'vfs_read'],
    builtIn: ['m_start'],
    inOrderTo: 'read its memory map',
    source: 'fs/proc/task_mmu.c: m_start',
  },
  {
    id: 'memory-lock-proc-next-mapping',
    match: [['lock_next_vma', 'proc_get_vma']],
    inOrderTo: 'read its memory map',
    source: 'mm/mmap_lock.c: lock_next_vma',
  },
  {
    id: 'memory-lock-proc-files',
    match: [
      [
        'proc_map_files_lookup',
        'proc_map_files_readdir',
        'map_files_d_revalidate',
        'map_files_get_link',
        'proc_pid_get_link',
      ],
    ],
    inOrderTo: 'list the files that it maps',
    source: 'fs/proc/base.c: proc_map_files_lookup',
  },
  {
    id: 'memory-lock-proc-exe',
    match: [['proc_exe_link', 'get_mm_exe_file', 'get_task_exe_file']],
    inOrderTo: 'find the file of its program',
    source: 'fs/proc/base.c: proc_exe_link',
  },
];

function lockRule({ inOrderTo, ...rest }: LockOfMemory, lock: string, causes: string, next = THREADS): Rule {
  return {
    ...rest,
    kind: 'blocked',
    sleeps: ['lock'],
    lock: 'rwsem',
    innermost: true,
    waitsFor: `${lock}, in order to ${inOrderTo}`,
    causes,
    stuck: ['mmapLock'],
    next,
  };
}

/** The mmap lock, by what tasks take it for. */
export const MMAP_LOCKS: readonly Rule[] = [
  ...OWN_MMAP_LOCK.map((one) => lockRule(one, 'the mmap lock of its process, which other threads hold', HOLDER)),
  ...MMAP_LOCK.map((one) => lockRule(one, 'the mmap lock of a process, which another task holds', HOLDER)),
  ...PROC_FILES.map((one) =>
    lockRule(one, 'the mmap lock of another process, which a thread of that holds', PROC_HOLDER, OTHERS_BLOCKED),
  ),
  {
    id: 'memory-lock-other',
    kind: 'blocked',
    match: [['mmap_read_lock', 'mmap_read_lock_killable', 'mmap_write_lock', 'mmap_write_lock_killable']],
    fallback: true,
    sleeps: ['lock'],
    waitsFor: 'the mmap lock of a process that {caller} takes: other tasks hold it',
    causes: HOLDER,
    stuck: ['mmapLock'],
    next: THREADS,
    source: 'include/linux/mmap_lock.h: mmap_write_lock',
  },
];
