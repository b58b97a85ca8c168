import { LOG, NFS, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SERVER = 'The server is down, overloaded, or not reached; a hard mount retries for good.';
const FUSE = ['findmnt -t fuse,fuseblk', 'cat /sys/fs/fuse/connections/*/waiting', 'ps -ef | grep -E "fuse|sshfs|gluster|s3fs|virtiofsd"'];
const P9 = ['findmnt -t 9p,virtiofs', ...LOG];

/** File systems that ask a daemon or an NFS server. */
export const NETWORK_FILESYSTEMS: readonly Rule[] = [
  blocked(
    'fuse-request',
    [
      'request_wait_answer|fuse_request_wait_answer|__fuse_request_send|fuse_simple_request|__fuse_simple_request|fuse_request_send|fuse_get_req_nofail_nopages|fuse_send_open|fuse_lookup_name|fuse_do_getattr',
    ],
    'a FUSE daemon to answer',
    'The daemon is stuck, stopped, dead but still connected, or waits for a network or for this very task.',
    FUSE,
    'fs/fuse/dev.c: request_wait_answer',
  ),
  blocked(
    'fuse-queue',
    ['fuse_get_req|__fuse_get_req|fuse_block_alloc|fuse_get_req_internal'],
    'a free request of a FUSE connection: too many are without answer',
    'The daemon is stuck or slow.',
    FUSE,
    'fs/fuse/dev.c: fuse_get_req',
  ),
  blocked(
    'fuse-page',
    [/fuse_(?!dev_do_read)\w+/],
    'FUSE: a lock, page or writeback of a file that the daemon has to serve',
    'Another task waits for the FUSE daemon with the lock held.',
    FUSE,
    'fs/fuse/file.c: fuse_wait_on_page_writeback',
    INNERMOST,
  ),
  {
    id: 'fuse-daemon',
    match: ['fuse_dev_do_read|fuse_uring_cmd'],
    waitsFor: 'a request to its FUSE file system',
    kind: 'idle',
    causes: 'Normal for a FUSE daemon.',
    next: FUSE,
    source: 'fs/fuse/dev.c: fuse_dev_do_read',
  },
  blocked(
    'virtiofs',
    ['virtio_fs_enqueue_req|virtio_fs_drain_queue|virtio_fs_drain_all_queues_locked'],
    'virtiofsd on the host to serve the shared directory',
    'virtiofsd is stuck or gone.',
    P9,
    'fs/fuse/virtio_fs.c: virtio_fs_drain_queue',
  ),
  blocked(
    '9p',
    ['p9_client_rpc|p9_virtio_request|p9_virtio_zc_request|p9_client_zc_rpc|p9_fd_request|p9_client_flush'],
    'the server of a 9p share (often the hypervisor) to answer',
    'The server is stuck or gone.',
    P9,
    'net/9p/client.c: p9_client_rpc',
  ),
  blocked(
    'sunrpc',
    ['rpc_wait_bit_killable|__rpc_execute|__rpc_wait_for_completion_task|rpc_execute|rpc_run_task|rpc_call_sync'],
    'a remote procedure call over sunrpc (NFS and relatives) to complete',
    SERVER,
    NFS,
    'net/sunrpc/sched.c: rpc_wait_bit_killable',
  ),
  blocked(
    'nfs-request',
    [
      'rpc_wait_bit_killable|__rpc_execute|__rpc_wait_for_completion_task|rpc_execute|rpc_run_task|rpc_call_sync',
      /nfs\d*_\w+|_nfs\d+_\w+|__nfs\d+_\w+/,
    ],
    'an NFS server to answer',
    SERVER,
    NFS,
    'net/sunrpc/sched.c: rpc_wait_bit_killable',
  ),
  blocked(
    'nfs-open-state',
    [
      'nfs4_wait_clnt_recover|nfs41_setup_state_renewal|nfs4_client_recover_expired_lease|nfs4_handle_exception|nfs4_schedule_state_recovery|nfs_wait_client_init_complete|nfs41_discover_server_trunking|nfs4_discover_server_trunking|nfs_client_init_status|nfs_wait_client_init',
    ],
    'the state of an NFS client to be set up or recovered with its server',
    'The server was restarted, is in its grace period, or does not answer.',
    NFS,
    'fs/nfs/nfs4state.c: nfs4_wait_clnt_recover',
  ),
  blocked(
    'nfs-delay',
    [
      'nfs4_delay|nfs4_delay_killable|nfs4_delay_interruptible|nfs41_sequence_call_done|nfs3_rpc_wrapper|nfs4_set_lock_state|nfs4_retry_setlk|nfs4_proc_lock|nlmclnt_lock|nlmclnt_block|nlmclnt_call|nlmclnt_proc',
    ],
    'a delay before it asks an NFS server again (busy, in grace, or a lock is taken)',
    'The server said to come back later, or another client holds the lock.',
    NFS,
    'fs/nfs/nfs4proc.c: nfs4_delay',
  ),
  blocked(
    'nfs-commit',
    [
      'nfs_wait_on_request|nfs_commit_inode|__nfs_commit_inode|nfs_wb_all|nfs_wb_folio|nfs_wb_page|nfs_file_fsync|nfs_file_flush|nfs_sync_inode|nfs_initiate_commit|nfs_wb_folio_cancel|nfs_commit_end',
    ],
    'pages to be written and committed on an NFS server',
    SERVER,
    NFS,
    'fs/nfs/write.c: nfs_commit_inode',
  ),
  blocked(
    'nfs-write',
    [
      'folio_wait_writeback|wait_on_page_writeback|filemap_write_and_wait_range|filemap_fdatawait_range|__filemap_fdatawait_range',
      'nfs_wb_all|nfs_file_fsync|nfs_file_flush|nfs_write_begin|nfs_wb_page|nfs_wb_folio|nfs_getattr|nfs_sync_mapping|nfs4_file_flush|nfs_revalidate_mapping|nfs_flush_incompatible|nfs_lock_and_join_requests|nfs_setattr',
    ],
    'pages to be written to an NFS server',
    SERVER,
    NFS,
    'fs/nfs/write.c: nfs_wb_all',
  ),
  blocked(
    'nfs-io-lock',
    [
      'nfs_start_io_read|nfs_start_io_write|nfs_start_io_direct|nfs_iocounter_wait|nfs_async_iocounter_wait|nfs_direct_wait|nfs_file_direct_read|nfs_file_direct_write|nfs_file_write|nfs_file_read',
    ],
    'other I/O on the same NFS file to end',
    'Reads, writes and direct I/O on one file exclude each other; the holder waits for the server.',
    [...NFS, ...OTHERS_BLOCKED],
    'fs/nfs/io.c: nfs_start_io_read',
  ),
  blocked(
    'nfs-lookup',
    [
      /_?_?nfs\d*_(?:lookup|permission|access|getattr|do_access|revalidate|atomic_open|readdir|readdir_\w+|lookup_revalidate\w*|wait_for_dir\w*|clear_invalid_mapping|do_lookup_revalidate|do_create|create|unlink|rename|block_sillyrename|call_unlink|try_get_tree|get_tree|umount_begin|free_server|kill_super|sillyrename|revalidate_mapping|update_delegated_\w+|delegation_\w+|do_return_delegation|inode_return_delegation|put_client)/,
    ],
    'NFS: another call on the same directory or file',
    SERVER,
    NFS,
    'fs/nfs/inode.c: nfs_wait_bit_killable',
    INNERMOST,
  ),
  blocked(
    'nfs-pnfs',
    [/pnfs_\w+|_pnfs_\w+|nfs4_ff_\w+|filelayout_\w+|bl_\w+_layout\w*/],
    'a pNFS layout of an NFS server',
    SERVER,
    NFS,
    'fs/nfs/pnfs.c: pnfs_update_layout',
    INNERMOST,
  ),
  blocked(
    'sunrpc-gss',
    ['gss_cred_init|gss_create_upcall|gss_pipe_downcall|gss_refresh_upcall|rpcauth_lookup_credcache|gss_pipe_open|gss_create_upcall_msg'],
    'rpc.gssd to get a Kerberos credential',
    'rpc.gssd does not run, or does not reach the KDC.',
    ['systemctl status rpc-gssd', 'klist -ke', ...LOG],
    'net/sunrpc/auth_gss/auth_gss.c: gss_create_upcall',
  ),
  blocked(
    'sunrpc-shutdown',
    ['rpc_shutdown_client|rpc_clnt_swap_deactivate|rpc_killall_tasks|xprt_destroy|xprt_free'],
    'calls to a server to end, in order to unmount',
    SERVER,
    NFS,
    'net/sunrpc/clnt.c: rpc_shutdown_client',
  ),
  blocked(
    'sunrpc-cache',
    ['cache_wait_req|cache_check|cache_defer_req|svc_export_request'],
    'rpc.mountd or another user-space cache of the NFS server',
    'rpc.mountd is stuck, often in a name service.',
    ['systemctl status nfs-mountd', 'exportfs -v'],
    'net/sunrpc/cache.c: cache_wait_req',
  ),
  blocked(
    'nfsd-work',
    [/nfsd4?_\w+|fh_verify|nfsd4_\w+|nfs4_preprocess_stateid_op|fh_lock_nested|laundromat_main|nfs4_laundromat/],
    'the exported file system, or state of the NFS server',
    'The local file system that is exported is slow or stuck.',
    ['nfsstat -s', ...OTHERS_BLOCKED],
    'fs/nfsd/vfs.c: nfsd_vfs_write',
  ),
  blocked(
    'nfsd-callback',
    [
      'nfsd4_shutdown_callback|nfsd4_probe_callback_sync|nfsd41_cb_inflight_wait_complete|nfsd4_destroy_session|__destroy_client|nfsd4_create_session',
    ],
    'a callback to an NFS client to end',
    'A client that does not answer callbacks.',
    ['ls /proc/fs/nfsd/clients/', ...LOG],
    'fs/nfsd/nfs4callback.c: nfsd4_shutdown_callback',
  ),
];
