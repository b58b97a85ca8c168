import { DISKS, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SLOW = 'The disk below is slow, or has stopped to answer.';
const FROZEN =
  'A snapshot or backup froze it (fsfreeze, LVM, a hypervisor agent) and has not thawed it; or the freeze itself waits for I/O.';
const XFS = ['xfs_info MOUNTPOINT', 'grep . /sys/fs/xfs/*/log/*', ...DISKS];
const THAW = [
  'fsfreeze -u MOUNTPOINT',
  'dmsetup info | grep -B3 SUSPENDED',
  'kstack -c "fsfreeze|qemu-ga|vss" -f long',
];

/** XFS. */
export const XFS_RULES: readonly Rule[] = [
  blocked(
    'xfs-log-space',
    ['xlog_grant_head_wait|xlog_grant_head_check|xfs_log_reserve|xfs_log_regrant'],
    'room in the log of an XFS',
    'The log is small for the load, its tail is not pushed because the disk is slow, or a buffer or inode item is stuck in it.',
    XFS,
    'fs/xfs/xfs_log.c: xlog_grant_head_wait',
  ),
  blocked(
    'xfs-log-force',
    [
      'xfs_log_force_seq|xfs_log_force|xlog_wait_on_iclog|xlog_force_lsn|xlog_cil_force_seq|xlog_cil_force_lsn|xfs_log_force_lsn|xlog_force_and_check_iclog|xlog_cil_flush|xlog_state_get_iclog_space|xlog_wait|xfs_log_force_inode|__xfs_log_force_lsn|_xfs_log_force|_xfs_log_force_lsn|xfs_dir_fsync|xlog_force_iclog',
    ],
    'the log of an XFS to be written (fsync, sync)',
    SLOW,
    XFS,
    'fs/xfs/xfs_log.c: xlog_wait_on_iclog',
  ),
  blocked(
    'xfs-cil',
    [
      'xlog_cil_push_work|xlog_cil_push|xlog_cil_commit|xfs_log_commit_cil|xlog_cil_order_write|xlog_cil_push_background|xlog_write_get_more_iclog_space|xlog_write',
    ],
    'changes of an XFS to be collected for the log',
    'The log writes slowly: fewer tasks may add to it meanwhile.',
    XFS,
    'fs/xfs/xfs_log_cil.c: xlog_cil_push_background',
  ),
  blocked(
    'xfs-buffer',
    ['xfs_buf_lock|xfs_buf_find_lock|xfs_buf_find|xfs_buf_get_map|_xfs_buf_find|xfs_buf_lookup'],
    'the lock of a metadata buffer of an XFS: another task changes or reads it',
    'Busy allocation groups, a full log, or a slow disk: look at who holds it up.',
    [...XFS, ...OTHERS_BLOCKED],
    'fs/xfs/xfs_buf.c: xfs_buf_lock',
  ),
  blocked(
    'xfs-buffer-io',
    [
      'xfs_buf_iowait|xfs_bwrite|xfs_buf_read_map|_xfs_buf_read|__xfs_buf_submit|xfs_buf_submit|xfs_buf_delwri_submit|xfs_buf_delwri_submit_buffers|xfs_buf_submit_wait|xfs_buf_read_uncached|xfs_buf_read',
    ],
    'a metadata buffer of an XFS to be read or written',
    SLOW,
    XFS,
    'fs/xfs/xfs_buf.c: xfs_buf_iowait',
  ),
  blocked(
    'xfs-buffer-drain',
    ['xfs_buf_wait_unpin|xfs_wait_buftarg|xfs_buftarg_wait|xfs_buftarg_drain|xfs_freebuf|xfs_buftarg_drain_rele'],
    'metadata buffers of an XFS to be released',
    SLOW,
    XFS,
    'fs/xfs/xfs_buf.c: xfs_buf_wait_unpin',
  ),
  blocked(
    'xfs-inode',
    [
      'xfs_ilock|xfs_ilock_data_map_shared|xfs_ilock_attr_map_shared|xfs_ilock_nowait|xfs_ilock_iocb|xfs_ilock_iocb_for_write|xfs_lock_two_inodes|xfs_lock_inodes|xfs_ilock2_io_mmap|xfs_ilock_for_iomap|xfs_file_buffered_write|xfs_file_buffered_aio_write|xfs_file_buffered_read|xfs_file_dio_write_aligned|xfs_file_dio_write_unaligned|xfs_file_fallocate|xfs_file_dio_read',
    ],
    'the lock of an XFS inode: another task writes or maps the same file',
    'Many writers of one file; a holder that waits for log space or the disk.',
    OTHERS_BLOCKED,
    'fs/xfs/xfs_inode.c: xfs_ilock',
  ),
  blocked(
    'xfs-inode-flush',
    [
      'xfs_iflush_wait|xfs_iunpin_wait|__xfs_iunpin_wait|xfs_iget_cache_hit|xfs_iget|xfs_reclaim_inode|xfs_reclaim_inodes_ag|xfs_reclaim_inodes|xfs_iflock|__xfs_iflock',
    ],
    'an XFS inode to be read, flushed or unpinned',
    SLOW,
    XFS,
    'fs/xfs/xfs_inode.c: __xfs_iunpin_wait',
  ),
  blocked(
    'xfs-inode-gc',
    ['xfs_inodegc_flush|xfs_inodegc_queue|xfs_inodegc_worker|xfs_inodegc_stop|xfs_inodegc_push|xfs_inodegc_inactivate'],
    'deleted inodes of an XFS to be freed',
    'Many files were deleted at once; a slow disk.',
    XFS,
    'fs/xfs/xfs_icache.c: xfs_inodegc_flush',
    { kernels: '5.14 and newer' },
  ),
  blocked(
    'xfs-ail-push',
    [
      'xfs_ail_push_all_sync|xfs_unmountfs|xfs_log_quiesce|xfs_log_unmount|xfs_quiesce_attr|xfs_log_worker|xfs_ail_push',
    ],
    'all of the log of an XFS to be written back (unmount, freeze)',
    SLOW,
    XFS,
    'fs/xfs/xfs_trans_ail.c: xfs_ail_push_all_sync',
  ),
  blocked(
    'xfs-frozen',
    ['xfs_trans_alloc'],
    'a frozen XFS to be thawed',
    FROZEN,
    THAW,
    'fs/xfs/xfs_trans.c: xfs_trans_alloc',
    INNERMOST,
  ),
  blocked(
    'xfs-extent-busy',
    ['xfs_extent_busy_flush|xfs_extent_busy_wait_all'],
    'freed extents of an XFS to be committed, before they are used again',
    'A nearly full file system, or discards that are slow.',
    ['df -h', ...XFS],
    'fs/xfs/xfs_extent_busy.c: xfs_extent_busy_flush',
  ),
  blocked(
    'xfs-allocation',
    ['xfs_bmapi_allocate|xfs_bmapi_convert_delalloc|xfs_bmapi_allocate_worker|xfs_btree_split|xfs_bmap_btalloc'],
    'an extent of an XFS to be allocated by a worker',
    'A worker that waits for log space, buffers or memory.',
    [...XFS, ...OTHERS_BLOCKED],
    'fs/xfs/libxfs/xfs_btree.c: xfs_btree_split',
    INNERMOST,
  ),
  blocked(
    'xfs-quota',
    [
      'xfs_qm_dqget|xfs_qm_dqflush|xfs_qm_dqflush_all|xfs_qm_quotacheck|xfs_dqlock2|xfs_qm_dqattach|xfs_trans_dqresv|xfs_dqlock|xfs_qm_vop_dqalloc|xfs_qm_dqattach_locked|xfs_trans_apply_dquot_deltas|xfs_trans_dqlockedjoin',
    ],
    'quota of an XFS',
    'Many tasks charge the same user, group or project.',
    ['xfs_quota -x -c report MOUNTPOINT'],
    'fs/xfs/xfs_dquot.c: xfs_qm_dqget',
  ),
];
