import type { Rule } from './rule.ts';
import { waitTable } from './wait-table.ts';

/** Waits for servers, their daemons and connections, by functions that wait for one thing. */
export const WAITS_OF_SERVERS: readonly Rule[] = waitTable(
  'The server, a daemon of this host, or the network does not answer. Or another task uses the same connection.',
  [
    [
      'wait-for-ceph-older-writes',
      'older data of a Ceph file, of before a snapshot, to be written',
      'fs/ceph/addr.c',
      'ceph_netfs_check_write_begin ceph_page_mkwrite',
    ],
    [
      'wait-for-ceph-async-create',
      'the Ceph metadata server to answer an asynchronous create or unlink',
      'fs/ceph/mds_client.c',
      '__do_request ceph_mdsc_submit_request flush_dirty_session_caps',
    ],
    [
      'wait-for-ceph-file-lock',
      'the Ceph metadata server to give up on a lock of a file',
      'fs/ceph/locks.c',
      'ceph_lock_wait_for_completion',
    ],
    [
      'wait-for-netfs-file-io',
      'reads and writes of a file on a server, which are in progress',
      'fs/smb/client/cifsfs.c',
      'cifs_evict_inode cifs_fallocate cifs_remap_file_range cifs_file_copychunk_range cifs_unlink',
      'cifs_rename2 cifs_setsize smb3_zero_range smb3_simple_falloc smb3_punch_hole ceph_evict_inode',
    ],
    [
      'wait-for-smb-byte-lock',
      'another process of this host to release a byte range lock of the SMB file',
      'fs/smb/client/file.c',
      'cifs_lock_add_if',
      'cifs_setlk',
    ],
    [
      'wait-for-smb-user-connection',
      'another task to connect to the SMB share for the same user',
      'fs/smb/client/connect.c',
      'cifs_sb_tlink',
    ],
    [
      'wait-for-smb-direct',
      'the SMB server to answer over RDMA (SMB Direct)',
      'fs/smb/client/smbdirect.c',
      'smbd_post_send_iter smbd_recv smbd_create_id smbd_negotiate _smbd_get_connection',
      'smbd_get_connection smbd_deregister_mr smbd_register_mr',
    ],
    [
      'wait-for-ksmbd-daemon',
      'the daemon of the SMB server (ksmbd.mountd) to answer',
      'fs/smb/server/transport_ipc.c',
      'ipc_msg_send_request',
    ],
    [
      'wait-for-ksmbd-byte-lock',
      'another client of the SMB server, or a process, to release a byte range lock',
      'fs/smb/server/vfs.c',
      'ksmbd_vfs_posix_lock_wait ksmbd_vfs_posix_lock_wait_timeout',
    ],
    [
      'wait-for-ksmbd-rdma',
      'a client of the SMB server to answer over RDMA (SMB Direct)',
      'fs/smb/server/transport_rdma.c',
      'smb_direct_read wait_for_credits smb_direct_writev smb_direct_rdma_xmit smb_direct_disconnect',
      'smb_direct_prepare smb_direct_send_negotiate_response',
    ],
    [
      'wait-for-nfs-slot',
      'an earlier request in the same slot of an NFSv4.1 session',
      'fs/nfs/nfs4session.c',
      'nfs4_slot_wait_on_seqid',
    ],
    [
      'wait-for-nfs-data-server',
      'another task to connect to a data server (pNFS)',
      'fs/nfs/pnfs_nfs.c',
      'nfs4_wait_ds_connect nfs4_pnfs_ds_connect',
    ],
    [
      'wait-for-nfs-upcall',
      'a program that answers the NFS client (nfs_cache_getent)',
      'fs/nfs/cache_lib.c',
      'nfs_cache_wait_for_upcall',
    ],
    [
      'wait-for-nfs-block-daemon',
      'the daemon for pNFS block devices (blkmapd) to answer',
      'fs/nfs/blocklayout/rpc_pipefs.c',
      'bl_resolve_deviceid',
    ],
    [
      'wait-for-nfsd-client-requests',
      'requests of an NFS client to finish, in order to expire it',
      'fs/nfsd/nfs4state.c',
      'force_expire_client',
      'client_ctl_write',
    ],
    [
      'wait-for-rpc-tls',
      'the daemon for TLS handshakes (tlshd) to answer',
      'net/sunrpc/svcsock.c',
      'svc_tcp_handshake xs_tls_handshake_sync xs_tcp_tls_finish_connecting',
    ],
    [
      'wait-for-rpc-transport-lock',
      'other users of the connection to an RPC server',
      'net/sunrpc/clnt.c',
      'rpc_xprt_offline rpc_sysfs_xprt_dstaddr_store rpc_sysfs_xprt_state_change xs_tcp_tls_setup_socket',
    ],
    [
      'wait-for-rpc-pinned-request',
      'the answer to an RPC request, which is being received',
      'net/sunrpc/xprt.c',
      'xprt_wait_on_pinned_rqst xprt_request_dequeue_xprt',
    ],
    [
      'wait-for-rpc-rdma',
      'an RPC peer or the adapter to answer over RDMA',
      'net/sunrpc/xprtrdma/verbs.c',
      'rpcrdma_xprt_connect rpcrdma_xprt_drain rpcrdma_xprt_disconnect rpcrdma_create_id frwr_unmap_sync',
      'svc_rdma_post_chunk_ctxt',
      'svc_rdma_process_read_list',
    ],
    [
      'wait-for-9p-file-lock',
      'a lock of a file on a 9P server: it asks again and again',
      'fs/9p/vfs_file.c',
      'v9fs_file_do_lock',
    ],
    [
      'wait-for-smc-link',
      'the other end of an SMC connection, or the adapter',
      'net/smc/smc_llc.c',
      'smc_llc_wait smc_wr_tx_wait_no_pending_sends smc_wr_tx_get_free_slot smc_wr_tx_send_wait',
      'smc_wr_reg_send smc_wr_free_link smc_llc_testlink_work smc_smcd_terminate_all smcr_link_down',
    ],
  ],
);
