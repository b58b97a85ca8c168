import { lockTable } from './lock-table.ts';
import type { Rule } from './rule.ts';

const CAUSES = 'Another task uses the same file or file system, and waits for the disk or for memory.';

/** Locks of file systems, with the functions that take them. */
export const LOCKS_OF_FILE_SYSTEMS: readonly Rule[] = [
  ...lockTable('percpuRwsem', CAUSES, [
    [
      'lock-of-lease-table',
      'of the tables of file locks and leases (file_rwsem)',
      'fs/locks.c',
      'fcntl_getlease locks_start generic_add_lease generic_delete_lease',
    ],
  ]),
  ...lockTable('rwsem', CAUSES, [
    [
      'lock-of-userfaultfd-map',
      'of the memory map of a userfaultfd (map_changing_lock)',
      'fs/userfaultfd.c',
      'dup_userfaultfd mremap_userfaultfd_prep userfaultfd_unmap_prep mfill_atomic mfill_atomic_hugetlb',
    ],
    [
      'lock-of-quota-file',
      'of the quota file of a file system (dqio_sem)',
      'fs/ocfs2/quota_global.c',
      'ocfs2_global_write_info v1_read_file_info v1_write_file_info v2_read_file_info v2_write_file_info',
    ],
    [
      'lock-of-ntfs3-runs',
      'of the map of blocks of an NTFS file (run_lock)',
      'fs/ntfs3/attrib.c',
      'attr_data_get_block attr_collapse_range attr_punch_hole attr_insert_range attr_force_nonresident',
    ],
    [
      'lock-of-fuse-superblock',
      'of a FUSE file system against unmounting (killsb)',
      'fs/fuse/inode.c',
      'fuse_get_tree_submount fuse_mount_remove fuse_notify_inval_inode fuse_notify_inval_entry',
      'fuse_notify_delete',
    ],
    [
      'lock-of-fuse-dax',
      'of the DAX mappings of a FUSE file',
      'fs/fuse/dax.c',
      'fuse_iomap_begin fuse_setup_new_dax_mapping fuse_upgrade_dax_mapping inode_inline_reclaim_one_dmap',
      'lookup_and_reclaim_dmap',
    ],
    [
      'lock-of-gfs2-rw',
      'of the block map of a GFS2 file (i_rw_mutex)',
      'fs/gfs2/bmap.c',
      'gfs2_unstuff_dinode __gfs2_iomap_get punch_hole gfs2_rs_delete __gfs2_iomap_alloc',
    ],
    [
      'lock-of-gfs2-log-flush',
      'of the log of a GFS2 file system (sd_log_flush_lock)',
      'fs/gfs2/log.c',
      '__gfs2_log_flush gfs2_jindex_free',
    ],
    [
      'lock-of-ocfs2-alloc',
      'of the block map of an OCFS2 file (ip_alloc_sem)',
      'fs/ocfs2/aops.c',
      'ocfs2_read_folio ocfs2_dio_wr_get_block ocfs2_xattr_ibody_set ocfs2_bmap ocfs2_write_begin',
    ],
    [
      'lock-of-ocfs2-xattr',
      'of the extended attributes of an OCFS2 file (ip_xattr_sem)',
      'fs/ocfs2/xattr.c',
      'ocfs2_listxattr',
    ],
    [
      'lock-of-f2fs-segments',
      'of the table of segments of F2FS (sentry_lock)',
      'fs/f2fs/segment.c',
      'f2fs_invalidate_blocks f2fs_is_checkpointed_data f2fs_exist_trim_candidates init_min_max_mtime',
    ],
    [
      'lock-of-btrfs-subvolumes',
      'of the subvolumes of a btrfs file system (subvol_sem)',
      'fs/btrfs/ioctl.c',
      'btrfs_ioctl_subvol_getflags btrfs_ioctl_subvol_setflags btrfs_rename_exchange btrfs_rename',
      'btrfs_ioctl_quota_ctl',
    ],
    [
      'lock-of-btrfs-groups',
      'of the list of btrfs block groups (groups_sem)',
      'fs/btrfs/ioctl.c',
      'btrfs_ioctl_space_info raid_bytes_show btrfs_size_classes_show',
    ],
    [
      'lock-of-btrfs-replace',
      'for replacing a device of a btrfs file system (dev_replace)',
      'fs/btrfs/volumes.c',
      'btrfs_map_block do_zone_finish',
    ],
  ]),
  ...lockTable('mutex', CAUSES, [
    ['lock-of-mount-context', 'of a mount that is being set up (fsopen)', 'fs/fsopen.c', 'fscontext_read sys_fsmount'],
    [
      'lock-of-autofs',
      'of an autofs mount (wq_mutex)',
      'fs/autofs/dev-ioctl.c',
      'autofs_dev_ioctl_setpipefd autofs_catatonic_mode',
    ],
    [
      'lock-of-quota-dquot',
      'of a disk quota (dq_lock)',
      'fs/ocfs2/quota_global.c',
      'ocfs2_release_dquot ocfs2_acquire_dquot shmem_acquire_dquot shmem_release_dquot',
    ],
    [
      'lock-of-fat-fs',
      'of a FAT file system (s_lock)',
      'fs/fat/namei_msdos.c',
      'msdos_lookup msdos_create msdos_rmdir msdos_mkdir msdos_unlink',
    ],
    [
      'lock-of-exfat-fs',
      'of an exFAT file system (s_lock)',
      'fs/exfat/dir.c',
      'exfat_iterate exfat_create exfat_lookup exfat_unlink exfat_mkdir',
    ],
    [
      'lock-of-ubifs-inode',
      'of an inode of UBIFS (ui_mutex)',
      'fs/ubifs/debug.c',
      'dbg_check_synced_i_size ubifs_create ubifs_tmpfile ubifs_mkdir ubifs_mknod',
    ],
    [
      'lock-of-ubifs-tnc',
      'of the index of a UBIFS file system (tnc_mutex)',
      'fs/ubifs/debug.c',
      'dbg_walk_index ubifs_tnc_locate ubifs_tnc_get_bu_keys ubifs_tnc_add ubifs_tnc_add_nm',
    ],
    [
      'lock-of-fuse-all',
      'of the list of all FUSE connections (fuse_mutex)',
      'fs/fuse/control.c',
      'fuse_ctl_file_conn_get fuse_ctl_fill_super fuse_ctl_kill_sb fuse_fill_super_common',
      'fuse_dev_ioctl_clone',
    ],
    [
      'lock-of-xfs-quota-tree',
      'of the quotas of an XFS file system (qi_tree_lock)',
      'fs/xfs/xfs_qm.c',
      'xfs_qm_dqfree_one xfs_qm_dqget_cache_insert',
    ],
    [
      'lock-of-f2fs-dirty-segments',
      'of the list of dirty segments of F2FS (seglist_lock)',
      'fs/f2fs/gc.c',
      'f2fs_get_victim locate_dirty_segment f2fs_dirty_to_prefree f2fs_get_unusable_blocks',
      'f2fs_clear_prefree_segments',
    ],
    [
      'lock-of-f2fs-log',
      'of an open segment of F2FS (curseg_mutex)',
      'fs/f2fs/segment.c',
      'f2fs_do_replace_block read_normal_summaries',
    ],
    [
      'lock-of-netfs-writeback',
      'for writeback of a file of a network file system (wb_lock)',
      'fs/netfs/write_issue.c',
      'netfs_writepages netfs_begin_writethrough',
    ],
    [
      'lock-of-btrfs-qgroup-ioctl',
      'for changes of btrfs quota groups (qgroup_ioctl_lock)',
      'fs/btrfs/ioctl.c',
      'qgroup_enabled btrfs_add_qgroup_relation btrfs_del_qgroup_relation btrfs_limit_qgroup',
      'btrfs_ioctl_qgroup_assign',
    ],
    [
      'lock-of-btrfs-devices',
      'of the list of devices of a btrfs file system (device_list_mutex)',
      'fs/btrfs/volumes.c',
      'btrfs_free_stale_devices device_list_add btrfs_get_dev_stats btrfs_skip_registration',
    ],
    [
      'lock-of-btrfs-log-inode',
      'of the fsync log of a btrfs inode (log_mutex)',
      'fs/btrfs/tree-log.c',
      'btrfs_del_dir_entries_in_log btrfs_del_inode_ref_in_log btrfs_record_unlink_dir',
      'btrfs_record_snapshot_destroy',
    ],
    [
      'lock-of-btrfs-balance',
      'of the balance of a btrfs file system (balance_mutex)',
      'fs/btrfs/volumes.c',
      'balance_kthread btrfs_try_lock_balance btrfs_ioctl_balance_progress',
    ],
    [
      'lock-of-btrfs-uuids',
      'of the list of all btrfs file systems (uuid_mutex)',
      'fs/btrfs/super.c',
      'btrfs_parse_param btrfs_control_ioctl',
    ],
    [
      'lock-of-btrfs-delayed-node',
      'of the delayed changes of a btrfs inode (delayed node)',
      'fs/btrfs/delayed-inode.c',
      'btrfs_delete_delayed_dir_index btrfs_readdir_get_delayed_items btrfs_delete_delayed_insertion_item',
    ],
  ]),
];
