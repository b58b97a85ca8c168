import { SLOW_DISK } from './causes.ts';
import type { Rule } from './rule.ts';
import { waitTable } from './wait-table.ts';

/** Waits inside of file systems, by functions of theirs. */
export const WAITS_OF_FILE_SYSTEMS: readonly Rule[] = [
  ...waitTable('A disk of the file system is slow, or another task that uses it is stuck.', [
    [
      'wait-for-jfs-transaction',
      'a transaction or a metadata page of JFS that another task uses',
      'fs/jfs/jfs_txnmgr.c',
      'TXN_SLEEP_DROP_LOCK __lock_metapage lock_metapage',
    ],
    ['wait-for-gfs2-journal-recovery', 'a recovery of a GFS2 journal to end', 'fs/gfs2/super.c', 'gfs2_put_super'],
    [
      'wait-for-gfs2-quiet',
      'the log and quotas of a GFS2 file system to become idle, so that it can be stopped',
      'fs/gfs2/super.c',
      'gfs2_make_fs_ro gfs2_quota_cleanup',
    ],
    [
      'wait-for-gfs2-inode-lock',
      'the other nodes to give up a deleted inode of GFS2',
      'fs/gfs2/super.c',
      'gfs2_upgrade_iopen_glock gfs2_evict_inode',
    ],
    [
      'wait-for-ocfs2-node-lock',
      'a lock of OCFS2 that is being changed, since another node holds or wants it',
      'fs/ocfs2/dlmglue.c',
      'ocfs2_wait_on_busy_lock ocfs2_wait_for_mask_interruptible',
    ],
    [
      'wait-for-ocfs2-refresh',
      'another task of this host that reads the same inode of OCFS2 again',
      'fs/ocfs2/dlmglue.c',
      'ocfs2_wait_on_refreshing_lock',
    ],
    [
      'wait-for-ocfs2-orphans',
      'another task to finish with a directory of deleted files of OCFS2',
      'fs/ocfs2/journal.c',
      'ocfs2_mark_recovering_orphan_dir',
    ],
    [
      'wait-for-dlm-turn',
      'its turn to run, between messages or requests of DLM',
      'fs/dlm/requestqueue.c',
      'dlm_process_requestqueue dlm_recover_waiters_pre',
    ],
    [
      'wait-for-dlm-lockspace-users',
      'the users of a DLM lockspace to let it go, or the daemon that manages it to answer (dlm_controld)',
      'fs/dlm/lockspace.c',
      'remove_lockspace',
    ],
    [
      'wait-for-dlm-shutdown',
      'a connection to another node of the DLM to end',
      'fs/dlm/lowcomms.c',
      'shutdown_connection',
    ],
    [
      'wait-for-f2fs-zone',
      'a write to a zone of the disk to complete, before the next one',
      'fs/f2fs/data.c',
      'f2fs_submit_page_write',
    ],
    [
      'wait-for-f2fs-checkpoint-end',
      'checkpoints of F2FS that others asked for to be written',
      'fs/f2fs/checkpoint.c',
      'f2fs_flush_ckpt_thread f2fs_stop_ckpt_thread',
    ],
    [
      'wait-for-kobject-release',
      'programs to close the files of a file system in /sys, so that it can be unmounted',
      'fs/f2fs/sysfs.c',
      'f2fs_unregister_sysfs f2fs_register_sysfs ocfs2_filecheck_remove_sysfs gfs2_sys_fs_add gfs2_sys_fs_del',
    ],
    [
      'wait-for-ext4-fast-commit',
      'an inode that another task changes, in order to write a fast commit of ext4',
      'fs/ext4/fast_commit.c',
      'ext4_fc_submit_inode_data_all',
    ],
    [
      'wait-for-xfs-parallel-work',
      'workers of XFS that scan the file system',
      'fs/xfs/xfs_pwork.c',
      'xfs_pwork_destroy',
    ],
    [
      'wait-for-bcachefs-copygc',
      'the moves of data of bcachefs to keep within their limit, or copygc to finish',
      'fs/bcachefs/move.c',
      'bch2_move_ratelimit',
    ],
  ]),
  ...waitTable('The server does not answer, the network to it is down, or a daemon of this host hangs.', [
    [
      'wait-for-pnfs-return',
      'a pNFS layout to be returned to the NFS server, before a new one is asked for',
      'fs/nfs/pnfs.c',
      '_pnfs_return_layout pnfs_prepare_to_retry_layoutget',
    ],
    [
      'wait-for-pnfs-return-on-close',
      'a pNFS layout to be returned to the NFS server, before the file is closed',
      'fs/nfs/pnfs.c',
      'pnfs_roc',
    ],
    [
      'wait-for-pnfs-layout-users',
      'the last users of a pNFS layout to let it go',
      'fs/nfs/pnfs.c',
      'pnfs_destroy_layout_final',
    ],
    [
      'wait-for-pnfs-layout',
      'another task to get the pNFS layout of the same file from the NFS server',
      'fs/nfs/pnfs.c',
      'pnfs_update_layout',
    ],
    [
      'wait-for-pnfs-commit',
      'another task to commit the pNFS layout of the same file',
      'fs/nfs/pnfs.c',
      'pnfs_layoutcommit_inode',
    ],
    [
      'wait-for-nfs-invalidation',
      'another task to drop the cached pages of the same NFS file',
      'fs/nfs/file.c',
      'nfs_vm_page_mkwrite',
    ],
    [
      'wait-for-nfs-page-group',
      'another task that builds a request of the same page of an NFS file',
      'fs/nfs/pagelist.c',
      'nfs_page_set_headlock nfs_page_group_lock_subreq',
    ],
    [
      'wait-for-nfsd-recall',
      'an NFS client to answer about a file that was delegated to it (or to give it back)',
      'fs/nfsd/nfs4state.c',
      'nfsd_wait_for_delegreturn nfsd4_deleg_getattr_conflict',
    ],
    [
      'wait-for-nfsd-client-tracking',
      'another nfsd thread that asks a helper program (nfsdcltrack) about the same NFS client',
      'fs/nfsd/nfs4recover.c',
      'nfsd4_cltrack_upcall_lock',
    ],
    [
      'wait-for-nfsd-copy-mount',
      'another task to mount the server that a copy is read from (NFS server-side copy)',
      'fs/nfsd/nfs4proc.c',
      'nfsd4_ssc_setup_dul',
    ],
    [
      'wait-for-netfs-retry',
      'requests of a network file system that are in flight to end, before it goes on',
      'fs/netfs/write_collect.c',
      'netfs_retry_writes netfs_unbuffered_write netfs_retry_reads',
    ],
    [
      'wait-for-fuse-dax',
      'a page of a FUSE file that the host and a device share (DAX) to be free',
      'fs/fuse/dax.c',
      'fuse_wait_dax_page',
    ],
  ]),
  ...waitTable('A disk below is slow or does not answer, or another task that uses the device is stuck.', [
    [
      'wait-for-md-bitmap-write',
      'the bitmap of an array (md) to be written by a worker',
      'drivers/md/md-bitmap.c',
      'bitmap_unplug_async',
    ],
    [
      'wait-for-raid5-stripes',
      'stripes of a RAID 4/5/6 array (md) that are in use to become free',
      'drivers/md/raid5.c',
      'make_discard_request ppl_quiesce',
    ],
    [
      'wait-for-raid5-pause',
      'stripes of a RAID 4/5/6 array (md) that are in use: the array is being paused',
      'drivers/md/raid5.c',
      'raid5_sync_request',
    ],
    [
      'wait-for-dm-integrity-journal',
      'the journal of a dm-integrity device to be encrypted, checked or written',
      'drivers/md/dm-integrity.c',
      'write_journal sleep_on_endio_wait',
    ],
    [
      'wait-for-dm-bufio-write',
      'a metadata block of a dm device that is being written',
      'drivers/md/dm-bufio.c',
      '__write_dirty_buffer',
    ],
    [
      'wait-for-dm-zoned-zones',
      'reclaim to free a zone of a dm-zoned device',
      'drivers/md/dm-zoned-metadata.c',
      'dmz_wait_for_free_zones dmz_alloc_zone',
    ],
    [
      'wait-for-dm-log-writes-super',
      'the superblock of a dm-log-writes device to be written',
      'drivers/md/dm-log-writes.c',
      'log_super',
    ],
    [
      'wait-for-vdo-permit',
      'a free slot of a VDO device: as many requests are in flight as it allows',
      'drivers/md/dm-vdo/data-vio.c',
      'wait_permit vdo_launch_bio',
    ],
    [
      'wait-for-vdo-index',
      'the deduplication index of a VDO device (UDS)',
      'drivers/md/dm-vdo/indexer/index-session.c',
      'uds_suspend_index_session uds_close_index uds_load_index enqueue_page_read get_volume_page_protected',
      'finish_previous_chapter swap_open_chapter',
    ],
    [
      'wait-for-bcache-scan',
      'threads of bcache to scan the disk that is attached',
      'drivers/md/bcache/writeback.c',
      'bch_sectors_dirty_init bch_btree_check',
    ],
    [
      'wait-for-drbd-cache-flush',
      'the disks below DRBD to write their caches',
      'drivers/block/drbd/drbd_receiver.c',
      'drbd_flush_after_epoch',
    ],
    [
      'wait-for-drbd-resync-pace',
      'its turn: DRBD slows a resync down for the I/O of programs',
      'drivers/block/drbd/drbd_receiver.c',
      'receive_DataRequest',
    ],
  ]),
  ...waitTable(
    SLOW_DISK,
    [
      [
        'wait-for-dm-log-super',
        'the header of a dm-log-writes device to be written',
        'drivers/md/dm-log-writes.c',
        'log_writes_kthread',
      ],
    ],
    { sleeps: ['completion', 'io'] },
  ),
];
