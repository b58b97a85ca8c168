import { lockTable } from './lock-table.ts';
import type { Rule } from './rule.ts';

const CAUSES = 'Another task waits for the server while it holds the lock: the server or the network is slow or gone.';

/** Locks of network and cluster file systems, with the functions that take them. */
export const LOCKS_OF_NETWORK_FILE_SYSTEMS: readonly Rule[] = [
  ...lockTable('mutex', CAUSES, [
    [
      'lock-of-smb-dfs-list',
      'of the DFS cache of the SMB client (dfs_cache_list_lock)',
      'fs/cifs/dfs_cache.c',
      'dfs_cache_find dfs_cache_noreq_find dfs_cache_update_tgthint dfs_cache_noreq_update_tgthint dfs_cache_update_vol',
      'dfs_cache_get_tgt_referral',
    ],
    [
      'lock-of-nfsd-directory',
      'of a file or directory of an NFS export (inode lock)',
      'fs/nfsd/vfs.c',
      'nfsd_lookup_dentry nfsd_create do_nfsd_create nfsd_symlink nfsd_link nfsd_rename nfsd_unlink nfsd_setattr',
      'do_open_lookup nfsd4_create_file nfsd3_create_file nfsd_setxattr nfsd_removexattr fh_lock_nested',
    ],
    [
      'lock-of-nfs-commit-list',
      'of the unwritten (uncommitted) pages of an NFS file (commit_mutex)',
      'fs/nfs/pnfs_nfs.c',
      'pnfs_layout_mark_request_commit nfs_request_add_commit_list nfs_direct_write_scan_commit_list',
      'pnfs_generic_retry_commit pnfs_bucket_alloc_ds_commits',
    ],
    [
      'lock-of-nlm-files',
      'of the files of the NFS lock server (nlm_file_mutex)',
      'fs/lockd/svcsubs.c',
      'nlm_traverse_files nlm_release_file',
    ],
    [
      'lock-of-nlm-file',
      'of a file of the NFS lock server (f_mutex)',
      'fs/lockd/svclock.c',
      'nlmsvc_traverse_blocks nlmsvc_lock nlmsvc_cancel_blocked',
    ],
    [
      'lock-of-rpc-receive',
      'for receiving from an RPC server (recv_mutex)',
      'net/sunrpc/xprtsock.c',
      'xs_sock_srcport xs_sock_srcaddr xs_stream_data_receive xs_udp_data_receive',
      'xs_tcp_tls_finish_connecting',
    ],
    [
      'lock-of-rpc-pipefs',
      'of rpc_pipefs of a network namespace (pipefs_sb_lock)',
      'net/sunrpc/rpc_pipe.c',
      'rpc_add_pipe_dir_object rpc_remove_pipe_dir_object rpc_find_or_alloc_pipe_dir_object',
      'rpc_fill_super',
    ],
    [
      'lock-of-svc-transport-send',
      'for sending to an RPC client (xpt_mutex)',
      'net/sunrpc/xprtsock.c',
      'bc_send_request svc_udp_sendto',
    ],
    [
      'lock-of-smb-cached-dir',
      'of the cached entries of an SMB directory (de_mutex)',
      'fs/smb/client/inode.c',
      'cifs_invalidate_cached_dir cifs_readdir cifs_dir_emit',
    ],
    [
      'lock-of-smb-dfs-path',
      'of the DFS path of an SMB server (refpath_lock)',
      'fs/smb/client/dfs_cache.c',
      'get_ses_refpath',
    ],
    [
      'lock-of-ceph-mds',
      'of the client of the Ceph metadata servers (mdsc->mutex)',
      'fs/ceph/debugfs.c',
      'mdsc_show mds_sessions_show vet_mds_for_fscrypt ceph_mdsc_iterate_sessions',
      'ceph_mdsc_open_export_target_session cleanup_session_requests ceph_mds_check_access',
      'ceph_mdsc_handle_fsmap',
    ],
    [
      'lock-of-ceph-session',
      'of a session with a Ceph metadata server (s_mutex)',
      'fs/ceph/mds_client.c',
      'lock_unlock_session ceph_inc_mds_stopping_blocker ceph_cap_release_work',
    ],
    [
      'lock-of-ceph-fragments',
      'of the fragments of a Ceph directory (i_fragtree_mutex)',
      'fs/ceph/inode.c',
      'ceph_choose_frag ceph_fill_dirfrag ceph_fill_fragtree',
    ],
    [
      'lock-of-ceph-truncate',
      'for truncating a Ceph file (i_truncate_mutex)',
      'fs/ceph/inode.c',
      'ceph_do_invalidate_pages',
    ],
    [
      'lock-of-ceph-monitor',
      'of the client of the Ceph monitors (monc->mutex)',
      'net/ceph/mon_client.c',
      'ceph_monc_reopen_session ceph_monc_want_map ceph_monc_got_map ceph_monc_renew_subs',
      'ceph_monc_open_session ceph_monc_validate_auth mon_get_auth_request mon_handle_auth_reply_more',
    ],
  ]),
  ...lockTable('rwsem', CAUSES, [
    [
      'lock-of-nfsd-inode',
      'of a file or directory of an NFS export (inode lock)',
      'fs/nfsd/vfs.c',
      'nfsd_lookup_dentry nfsd_create do_nfsd_create nfsd_symlink nfsd_link nfsd_rename nfsd_unlink nfsd_setattr',
      'do_open_lookup nfsd4_create_file nfsd3_create_file nfsd_setxattr nfsd_removexattr fh_lock_nested',
    ],
    [
      'lock-of-smb-dfs-cache',
      'of the DFS cache of the SMB client (htable_rw_lock)',
      'fs/smb/client/dfs_cache.c',
      'dfscache_proc_show dfscache_proc_write dfs_cache_noreq_find dfs_cache_noreq_update_tgthint',
      'dfs_cache_get_tgt_referral',
    ],
    [
      'lock-of-smb-file-locks',
      'of the byte range locks of an SMB file (lock_sem)',
      'fs/smb/client/file.c',
      'cifs_has_mand_locks cifs_lock_test cifs_posix_lock_test',
    ],
    [
      'lock-of-ksmbd-inode',
      'of an inode of the SMB server (m_lock)',
      'fs/smb/server/oplock.c',
      'opinfo_get_list smb_send_parent_lease_break_noti smb_lazy_parent_lease_break_close',
      'smb_break_all_levII_oplock smb2_open ksmbd_smb_check_shared_mode ksmbd_query_inode_status',
      'ksmbd_inode_pending_delete',
    ],
    [
      'lock-of-ksmbd-connections',
      'of the list of connections of the SMB server (conn_list_lock)',
      'fs/smb/server/connection.c',
      'ksmbd_conn_free',
    ],
    [
      'lock-of-ksmbd-sessions',
      'of the table of sessions of the SMB server (sessions_table_lock)',
      'fs/smb/server/mgmt/user_session.c',
      'ksmbd_session_lookup_slowpath __session_create',
    ],
    [
      'lock-of-ksmbd-shares',
      'of the table of shares of the SMB server (shares_table_lock)',
      'fs/smb/server/mgmt/share_config.c',
      'ksmbd_share_config_del ksmbd_share_config_get share_config_request',
    ],
    [
      'lock-of-ceph-snaps',
      'of the snapshots of a Ceph file system (snap_rwsem)',
      'fs/ceph/inode.c',
      '__ceph_setattr get_quota_realm ceph_quota_is_same_realm check_quota_exceeded',
      'ceph_quota_update_statfs',
    ],
    [
      'lock-of-ceph-osds',
      'of the client of the Ceph storage servers (osdc->lock)',
      'net/ceph/osd_client.c',
      '__submit_request ceph_osdc_abort_requests ceph_osdc_clear_abort_err ceph_osdc_update_epoch_barrier',
      'map_check_cb linger_registered linger_map_check_cb handle_osds_timeout',
    ],
    [
      'lock-of-rbd-owner',
      'of the exclusive lock of a Ceph block device (lock_rwsem)',
      'drivers/block/rbd.c',
      'rbd_watch_errcb rbd_reregister_watch rbd_is_lock_owner rbd_handle_acquired_lock',
      'rbd_handle_released_lock rbd_handle_request_lock',
    ],
    [
      'lock-of-rbd-header',
      'of the header of a Ceph block device (header_rwsem)',
      'drivers/block/rbd.c',
      '__rbd_obj_handle_request rbd_dev_refresh rbd_obj_read_from_parent rbd_img_object_requests',
    ],
    [
      'lock-of-9p-rename',
      'of the paths of a 9P file system (rename_sem)',
      'fs/9p/vfs_inode.c',
      'v9fs_vfs_rename v9fs_fid_lookup_with_uid',
    ],
  ]),
];
