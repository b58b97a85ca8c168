import { DISKS, LOG, MEMORY, MOUNTS, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

/** overlayfs, f2fs, cluster file systems and ZFS. */
export const OTHER_FILESYSTEMS: readonly Rule[] = [
  blocked(
    'overlayfs',
    [/ovl_\w+/],
    'overlayfs: a copy up, or the layer below',
    'A container changes a large file for the first time, or the file system below is stuck.',
    [...MOUNTS, ...OTHERS_BLOCKED],
    'fs/overlayfs/copy_up.c: ovl_copy_up_one',
    INNERMOST,
  ),
  blocked(
    'overlayfs-copy-up',
    ['ovl_copy_up_file|ovl_copy_up_data|ovl_copy_up_tmpfile|ovl_copy_up_one|ovl_copy_up_start|ovl_copy_up_flags'],
    'overlayfs to copy a file up to the writable layer',
    'A large file changed for the first time in a container; a slow disk below.',
    [...MOUNTS, ...DISKS],
    'fs/overlayfs/copy_up.c: ovl_copy_up_one',
  ),
  blocked(
    'f2fs',
    [/f2fs_\w+|__f2fs_\w+|wait_on_all_pages|issue_checkpoint_thread/],
    'f2fs: a checkpoint, garbage collection or its disk',
    'A nearly full flash device, or a slow one.',
    ['cat /sys/kernel/debug/f2fs/status', ...DISKS],
    'fs/f2fs/checkpoint.c: f2fs_issue_checkpoint',
  ),
  blocked(
    'gfs2',
    [/gfs2_\w+|gdlm_\w+|dlm_\w+|do_promote|run_queue/],
    'a cluster lock of GFS2 that another node holds',
    'Another node is slow, stuck, or waits to be fenced.',
    ['dlm_tool ls', 'cat /sys/kernel/debug/gfs2/*/glocks'],
    'fs/gfs2/glock.c: gfs2_glock_wait',
  ),
  blocked(
    'ocfs2',
    [/ocfs2_\w+|__ocfs2_\w+|o2\w+|dlmlock\w*/],
    'a cluster lock of OCFS2, or its network',
    'Another node holds the lock, is dead and not yet fenced, or the interconnect is slow.',
    ['debugfs.ocfs2 -R "fs_locks -B" DEVICE', ...LOG],
    'fs/ocfs2/dlmglue.c: __ocfs2_cluster_lock',
  ),
  blocked(
    'zfs-txg',
    [
      'txg_wait_synced|txg_wait_synced_impl|txg_wait_open|txg_wait_synced_sig|txg_wait_synced_flags|txg_delay|dmu_tx_wait|dmu_tx_delay|dmu_tx_assign|dsl_sync_task|dsl_sync_task_common',
    ],
    'a ZFS transaction group to be synced, or room in one',
    'The pool is slower than what is written, is nearly full, or has a device that does not answer.',
    ['zpool status -v', 'zpool iostat -v 1', 'cat /proc/spl/kstat/zfs/*/txgs'],
    'module/zfs/txg.c: txg_wait_synced_impl',
  ),
  blocked(
    'zfs-io',
    [
      'zio_wait|zio_resume_wait|spa_sync|vdev_disk_io_start|dbuf_read|dbuf_read_done|dmu_buf_hold_array_by_dnode|arc_read|vdev_open|spa_config_enter|dbuf_hold_impl|dnode_hold_impl|buf_hash_find',
    ],
    'I/O of a ZFS pool',
    'A slow or failed device; with failmode=wait a pool that lost its devices waits for good.',
    ['zpool status -v', 'zpool events', ...DISKS],
    'module/zfs/zio.c: zio_wait',
  ),
  blocked(
    'zfs-zil',
    ['zil_commit|zil_commit_impl|zil_commit_waiter|zil_sync|zil_close|zil_suspend'],
    'the intent log of ZFS (fsync, O_SYNC)',
    'Synchronous writes without a fast log device.',
    ['zpool iostat -v 1', 'zfs get sync,logbias'],
    'module/zfs/zil.c: zil_commit_waiter',
  ),
  blocked(
    'zfs-memory',
    [
      'arc_wait_for_eviction|arc_get_data_impl|arc_get_data_abd|spl_kmem_cache_alloc|arc_wait_for_eviction_impl|arc_lowmem_init|spl_kmem_alloc_impl|spl_cache_grow_wait|spl_cache_grow',
    ],
    'memory of the ZFS cache to be freed',
    'The ARC is at its limit, or the host is short of memory.',
    ['arc_summary', ...MEMORY],
    'module/zfs/arc.c: arc_wait_for_eviction',
  ),
  blocked(
    'zfs-lock',
    [/zfs_\w+|rrw_\w+|zpl_\w+|dmu_\w+|dsl_\w+|spa_\w+|rrm_\w+|zvol_\w+/],
    'a lock of ZFS',
    'Another operation on the same file, dataset or pool that is stuck.',
    ['zpool status -v', ...OTHERS_BLOCKED],
    'module/zfs/zfs_rlock.c: zfs_rangelock_enter',
    { ...INNERMOST, module: 'zfs' },
  ),
];
