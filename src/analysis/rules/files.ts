import { DIRTY, DISKS, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SLOW = 'The disk below is slow, or has stopped to answer.';
const FROZEN =
  'A snapshot or backup froze it (fsfreeze, LVM, a hypervisor agent) and has not thawed it; or the freeze itself waits for I/O.';
const THAW = [
  'fsfreeze -u MOUNTPOINT',
  'dmsetup info | grep -B3 SUSPENDED',
  'kstack -c "fsfreeze|qemu-ga|vss" -f long',
];

/** What all file systems share: freezing, page cache and writeback. */
export const FILES: readonly Rule[] = [
  blocked(
    'fs-frozen-fault',
    [
      /\w+_page_mkwrite|ext4_da_page_mkwrite|sb_start_pagefault|__xfs_filemap_fault|__xfs_write_fault|xfs_write_fault/,
      'do_page_mkwrite',
    ],
    'a frozen file system to be thawed: it writes to a mapped file',
    FROZEN,
    THAW,
    'include/linux/fs.h: sb_start_pagefault',
    INNERMOST,
  ),
  blocked(
    'fs-frozen-syscall',
    [
      'vfs_write|do_iter_write|vfs_iter_write|do_splice_direct|vfs_fallocate|do_sys_ftruncate|vfs_truncate|do_truncate|do_ftruncate|vfs_copy_file_range|aio_write|io_write',
    ],
    'a frozen file system to be thawed: it writes',
    FROZEN,
    THAW,
    'include/linux/fs.h: sb_start_write',
    INNERMOST,
  ),
  blocked(
    'fs-frozen-write',
    ['__sb_start_write|sb_start_write|file_start_write|mnt_want_write|mnt_want_write_file|__mnt_want_write'],
    'a frozen file system to be thawed: it changes something',
    FROZEN,
    THAW,
    'fs/namespace.c: mnt_want_write',
    INNERMOST,
  ),
  blocked(
    'fs-freezing',
    ['freeze_super|sb_wait_write|freeze_bdev|bdev_freeze|ioctl_fsfreeze'],
    'writers to end, in order to freeze a file system (or another freeze to end)',
    'A writer that is stuck, or a file system with much to flush.',
    [...OTHERS_BLOCKED, ...DISKS],
    'fs/super.c: freeze_super',
  ),
  blocked(
    'fs-thaw',
    ['thaw_super|thaw_super_locked|thaw_bdev|bdev_thaw|ioctl_fsthaw|emergency_thaw_all'],
    'the lock of a file system, in order to thaw it',
    'A task holds it and itself waits for the thaw (sync, umount, writeback): only the thaw, or a reboot, undoes that.',
    OTHERS_BLOCKED,
    'fs/super.c: thaw_super',
  ),
  blocked(
    'dirty-throttle',
    ['balance_dirty_pages|balance_dirty_pages_ratelimited|balance_dirty_pages_ratelimited_flags'],
    'dirty pages to be written: it writes faster than the disk',
    'More dirty memory than vm.dirty_ratio or its cgroup allows; a slow device or network file system below.',
    DIRTY,
    'mm/page-writeback.c: balance_dirty_pages',
  ),
  blocked(
    'page-lock',
    [
      '__folio_lock|__lock_page|__folio_lock_killable|__lock_page_killable|__folio_lock_or_retry|__lock_page_or_retry|__folio_lock_async|lock_page',
    ],
    'the lock of a page, which is being read, written or truncated',
    'I/O on the page in progress: a slow disk or server, or a holder that is itself stuck.',
    [...DISKS, ...OTHERS_BLOCKED],
    'mm/filemap.c: __folio_lock',
  ),
  blocked(
    'page-read',
    [
      'filemap_fault|filemap_get_pages|filemap_update_page|generic_file_buffered_read|generic_file_read_iter|filemap_read|filemap_read_folio|do_read_cache_folio|do_read_cache_page|read_cache_page|filemap_create_folio|filemap_splice_read|__filemap_get_folio|pagecache_get_page|find_lock_entry|page_cache_ra_unbounded|filemap_get_read_batch|put_and_wait_on_page_locked|folio_put_wait_locked',
    ],
    'a page of a file to be read',
    SLOW,
    DISKS,
    'mm/filemap.c: filemap_update_page',
    INNERMOST,
  ),
  blocked(
    'page-bit',
    [
      'folio_wait_bit_common|folio_wait_bit|wait_on_page_bit_common|wait_on_page_bit|wait_on_page_bit_killable|folio_wait_bit_killable',
    ],
    'a page that {caller} needs: it is locked or being written',
    SLOW,
    DISKS,
    'mm/filemap.c: folio_wait_bit_common',
  ),
  blocked(
    'page-writeback',
    [
      'folio_wait_writeback|wait_on_page_writeback|__filemap_fdatawait_range|filemap_fdatawait_range|wait_on_page_writeback_range|filemap_fdatawait|filemap_fdatawait_keep_errors|folio_wait_stable|wait_for_stable_page|filemap_write_and_wait_range|file_write_and_wait_range|file_fdatawait_range|filemap_write_and_wait|write_cache_pages|writeback_iter|filemap_fdatawait_range_keep_errors',
    ],
    'pages of a file to reach the disk',
    'A slow disk or server; much dirty data (fsync, sync, a full journal).',
    DIRTY,
    'mm/page-writeback.c: folio_wait_writeback',
  ),
  blocked(
    'fs-sync',
    [
      'sync_inodes_sb|wait_sb_inodes|wb_wait_for_completion|__writeback_inodes_sb_nr|try_to_writeback_inodes_sb|writeback_inodes_sb|sync_filesystem|sync_fs_one_sb|ksys_sync|wakeup_flusher_threads',
    ],
    'all dirty data of a file system to be written',
    'sync, umount or a snapshot on a file system with much dirty data, or one whose device does not answer.',
    DIRTY,
    'fs/fs-writeback.c: sync_inodes_sb',
  ),
  blocked(
    'fs-inode-writeback',
    [
      'inode_wait_for_writeback|inode_sleep_on_writeback|__inode_wait_for_writeback|inode_switch_wbs_work_fn|writeback_single_inode|cgroup_writeback_umount',
    ],
    'writeback of an inode to end',
    SLOW,
    DISKS,
    'fs/fs-writeback.c: inode_wait_for_writeback',
    INNERMOST,
  ),
  blocked(
    'writeback-worker',
    [
      'wb_workfn|wb_writeback|wb_do_writeback|writeback_sb_inodes|__writeback_inodes_wb|__writeback_single_inode|do_writepages|bdi_writeback_workfn|writeback_inodes_wb',
    ],
    'writeback to go on: it writes dirty pages of a device',
    SLOW,
    DIRTY,
    'fs/fs-writeback.c: wb_workfn',
    INNERMOST,
  ),
  blocked(
    'page-lock-truncate',
    [
      'truncate_inode_pages_range|invalidate_inode_pages2_range|invalidate_mapping_pages|truncate_inode_pages|truncate_pagecache|mapping_evict_folio|invalidate_inode_pages2',
    ],
    'the lock of a page that it throws away (truncate, delete, direct write)',
    'The page is being read or written: a slow disk or server, or a holder that is itself stuck.',
    [...DISKS, ...OTHERS_BLOCKED],
    'mm/truncate.c: truncate_inode_pages_range',
    INNERMOST,
  ),
];
