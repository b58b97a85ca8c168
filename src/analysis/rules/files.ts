import { FROZEN } from './causes.ts';
import { DISKS, OTHERS_BLOCKED, THAW, THAW_UNDO } from './commands.ts';
import { PERCPU_READ } from './functions.ts';
import type { Rule } from './rule.ts';

const FROZEN_FS = {
  kind: 'blocked',
  innermost: true,
  sleeps: ['lock'],
  causes: FROZEN,
  stuck: ['fileSystem'],
  next: THAW,
  undo: THAW_UNDO,
} satisfies Partial<Rule>;
const PAGES = {
  kind: 'blocked',
  stuck: ['fileSystem', 'device', 'server'],
  next: [...DISKS, ...OTHERS_BLOCKED],
} satisfies Partial<Rule>;

/** Freezing of file systems. */
export const FILES: readonly Rule[] = [
  {
    id: 'fs-frozen-fault',
    ...FROZEN_FS,
    match: [
      PERCPU_READ,
      [/\w+_page_mkwrite/, '__xfs_filemap_fault', '__xfs_write_fault', 'xfs_write_fault'],
      'do_page_mkwrite',
    ],
    waitsFor: 'a frozen file system to be thawed, in order to write to a mapped file',
    source: 'include/linux/fs.h: sb_start_pagefault',
  },
  {
    id: 'fs-frozen-syscall',
    ...FROZEN_FS,
    match: [
      PERCPU_READ,
      [
        'vfs_write',
        'do_iter_write',
        'vfs_iter_write',
        'vfs_iocb_iter_write',
        'do_splice_direct',
        'vfs_writev',
        'vfs_copy_file_range',
        'aio_write',
        'io_write',
        'kiocb_start_write',
      ],
    ],
    waitsFor: 'a frozen file system to be thawed, in order to write to a file',
    source: 'include/linux/fs.h: sb_start_write',
  },
  {
    id: 'fs-frozen-truncate',
    ...FROZEN_FS,
    match: [PERCPU_READ, ['do_sys_ftruncate', 'vfs_truncate', 'do_truncate', 'do_ftruncate']],
    waitsFor: 'a frozen file system to be thawed, in order to truncate a file',
    source: 'include/linux/fs.h: sb_start_write',
  },
  {
    id: 'fs-frozen-allocate',
    ...FROZEN_FS,
    match: [PERCPU_READ, 'vfs_fallocate'],
    waitsFor: 'a frozen file system to be thawed, in order to allocate space for a file',
    source: 'fs/open.c: vfs_fallocate',
  },
  {
    id: 'fs-frozen-write',
    ...FROZEN_FS,
    match: [
      [
        '__sb_start_write',
        'vfs_check_frozen',
        'sb_start_write',
        'file_start_write',
        'mnt_want_write',
        'mnt_want_write_file',
        '__mnt_want_write',
      ],
    ],
    sleeps: ['lock', 'schedule', 'event'],
    waitsFor: 'a frozen file system to be thawed, in order to change it',
    source: 'fs/namespace.c: mnt_want_write',
  },
  {
    id: 'fs-frozen-operation',
    ...FROZEN_FS,
    match: [
      PERCPU_READ,
      [
        'do_splice',
        'direct_splice_actor',
        'lo_rw_aio',
        'kernel_write',
        'vfs_clone_file_range',
        'ovl_start_write',
        'do_coredump',
        'backing_file_splice_write',
        'nfs_local_call_write',
        'sys_quotactl',
        'xfs_file_ioctl',
        'xfs_exchange_range',
        'btrfs_run_defrag_inodes',
        'btrfs_ioctl_encoded_write',
        'balance_kthread',
        'relocating_repair_kthread',
        'ext2_evict_inode',
        'ext2_dax_fault',
        'ext4_release_dquot',
        'write_mmp_block',
        'f2fs_evict_inode',
        'f2fs_drop_inode',
        'issue_discard_thread',
        '__gfs2_trans_begin',
        'ocfs2_start_trans',
        'nilfs_transaction_begin',
        '__fuse_dax_fault',
      ],
    ],
    waitsFor: 'a frozen file system to be thawed',
    source: 'include/linux/fs.h: sb_start_write',
  },
  {
    id: 'fs-freezing',
    ...PAGES,
    match: [
      ['percpu_down_write', 'percpu_rwsem_wait'],
      ['freeze_super', 'sb_wait_write'],
    ],
    innermost: true,
    sleeps: ['lock'],
    waitsFor: 'writers to leave a file system, before it freezes it',
    causes: 'A writer is itself stuck, often on the disk.',
    source: 'fs/super.c: sb_wait_write',
  },
  {
    id: 'fs-freeze',
    ...PAGES,
    match: [['freeze_super', 'sb_wait_write', 'freeze_bdev', 'bdev_freeze', 'ioctl_fsfreeze', 'fs_bdev_freeze']],
    waitsFor: 'a file system to be frozen',
    inOrderTo: 'freeze a file system',
    causes: 'A writer is stuck, another freeze is under way, or the file system has a lot to flush.',
    source: 'fs/super.c: freeze_super',
  },
  {
    id: 'fs-thaw',
    ...FROZEN_FS,
    match: [
      [
        'thaw_super',
        'thaw_super_locked',
        'thaw_bdev',
        'bdev_thaw',
        'ioctl_fsthaw',
        'emergency_thaw_all',
        'fs_bdev_thaw',
      ],
    ],
    waitsFor: 'the lock of a frozen file system (s_umount), which another task holds, in order to thaw it',
    causes:
      'A task that waits for the thaw (sync, umount, writeback) holds it: only the thaw, or a reboot, resolves that.',
    next: OTHERS_BLOCKED,
    undo: [],
    source: 'fs/super.c: thaw_super',
  },
];
