import { LOG, MOUNTS, NETWORK } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const SERVER = 'The server is down, overloaded, or not reached; a hard mount retries for good.';
const SMB = ['cat /proc/fs/cifs/DebugData', 'cat /proc/fs/cifs/Stats', ...LOG];
const CEPH = ['ceph -s', 'cat /sys/kernel/debug/ceph/*/mdsc /sys/kernel/debug/ceph/*/osdc', ...LOG];

const LUSTRE = ['lfs check servers', 'lctl get_param *.*.state', ...LOG];
const LUSTRE_MODULES =
  'ptlrpc|lustre|osc|lov|lmv|mdc|mgc|fid|fld|obdclass|lnet|ko2iblnd|ksocklnd|osp|lod|mdt|mdd|ofd|ost|osd_ldiskfs|osd_zfs|lquota';

/** SMB, Ceph and other file systems over the network. */
export const CLUSTER_FILESYSTEMS: readonly Rule[] = [
  blocked(
    'cifs-request',
    [
      'wait_for_response|wait_for_free_credits|compound_send_recv|cifs_send_recv|SendReceive2|SendReceive|cifs_send_recv_compound|wait_for_free_request|SMB2_open|wait_for_compound_request',
    ],
    'an SMB (CIFS) server to answer',
    SERVER,
    SMB,
    'fs/smb/client/transport.c: wait_for_response',
  ),
  blocked(
    'cifs-reconnect',
    [
      'smb2_reconnect|cifs_reconnect_tcon|cifs_reconnect|cifs_wait_for_server_reconnect|cifs_setup_session|smb2_reconnect_server|cifs_negotiate_protocol|generic_ip_connect',
    ],
    'the connection to an SMB server to be made again',
    SERVER,
    SMB,
    'fs/smb/client/smb2pdu.c: smb2_reconnect',
  ),
  blocked(
    'cifs-lock',
    [/cifs_\w+|smb2_\w+|SMB2_\w+|smb3_\w+|_cifsFileInfo_put|cifsFileInfo_put|__smb2_\w+/],
    'CIFS: a lock or page of a file on an SMB server',
    'Another task waits for the server with it held; an oplock break in progress.',
    SMB,
    'fs/smb/client/file.c: cifs_strict_writev',
    INNERMOST,
  ),
  blocked(
    'netfs',
    [/netfs_\w+|afs_\w+/],
    'network file system I/O, in {caller}',
    'The server or the cache device is slow.',
    [...MOUNTS, ...NETWORK],
    'fs/netfs/read_collect.c: netfs_wait_for_read',
    INNERMOST,
  ),
  blocked(
    'fscache',
    [/_?_?fscache_\w+|cachefiles_\w+/],
    'the local cache of a network file system (fscache)',
    'cachefilesd does not run, or the disk of the cache is slow or full.',
    ['systemctl status cachefilesd', 'cat /proc/fs/fscache/stats', ...LOG],
    'fs/fscache/cookie.c: __fscache_wait_on_invalidate',
    INNERMOST,
  ),
  blocked(
    'netfs-read',
    [
      'netfs_wait_for_read|netfs_wait_for_in_progress|netfs_wait_for_request|netfs_begin_read|netfs_wait_for_outstanding_io|netfs_wait_for_write|netfs_wait_for_pause',
    ],
    'a read or write of a network file system to complete',
    SERVER,
    [...MOUNTS, ...NETWORK],
    'fs/netfs/read_collect.c: netfs_wait_for_read',
  ),
  blocked(
    'ceph-metadata',
    [
      'ceph_mdsc_do_request|ceph_mdsc_wait_request|ceph_mdsc_sync|ceph_mdsc_wait_for_mdsmap|ceph_mdsc_pre_umount|wait_requests|wait_caps_flush|ceph_wait_on_conflict_unlink|ceph_wait_on_async_create',
    ],
    'a metadata server of Ceph to answer',
    'The MDS is slow, failed over, or has blocked this client.',
    CEPH,
    'fs/ceph/mds_client.c: ceph_mdsc_wait_request',
  ),
  blocked(
    'ceph-capability',
    [
      'ceph_get_caps|__ceph_get_caps|ceph_fsync|try_get_cap_refs|ceph_wait_for_caps|ceph_flush_dirty_caps|ceph_write_inode',
    ],
    'a capability of a file from the MDS of Ceph: other clients use it',
    'Another client holds it and does not give it back, or the MDS is slow.',
    CEPH,
    'fs/ceph/caps.c: __ceph_get_caps',
  ),
  blocked(
    'ceph-osd',
    [
      'ceph_osdc_wait_request|wait_request_timeout|ceph_osdc_sync|ceph_osdc_readpages|ceph_osdc_writepages|ceph_osdc_call|ceph_osdc_notify|linger_reg_commit_wait|ceph_osdc_start_request',
    ],
    'object storage of Ceph (OSDs) to complete I/O',
    'Slow or full OSDs, or placement groups that are inactive.',
    CEPH,
    'net/ceph/osd_client.c: wait_request_timeout',
  ),
  blocked(
    'ceph-monitor',
    [
      'ceph_monc_wait_osdmap|ceph_wait_for_latest_osdmap|__ceph_open_session|ceph_open_session|wait_generic_request|ceph_monc_blocklist_add|ceph_monc_do_statfs',
    ],
    'a monitor of Ceph to answer',
    'The monitors have lost their quorum or are not reached.',
    CEPH,
    'net/ceph/ceph_common.c: __ceph_open_session',
  ),
  blocked(
    'ceph-lock',
    [/ceph_\w+|__ceph_\w+/],
    'Ceph: a lock, page or session',
    'Another task waits for the cluster with it held.',
    CEPH,
    'fs/ceph/file.c: ceph_start_io_read',
    INNERMOST,
  ),
  blocked(
    'lustre-request',
    ['ptlrpc_set_wait|ptlrpc_queue_wait|ptlrpc_check_set|ldlm_cli_enqueue|ldlm_cli_enqueue_fini'],
    'a Lustre server to answer',
    SERVER,
    LUSTRE,
    'lustre/ptlrpc/client.c: ptlrpc_set_wait',
  ),
  blocked(
    'lustre-lock',
    [
      'ldlm_completion_ast|ldlm_completion_tail|ldlm_lock_enqueue|osc_lock_enqueue_wait|cl_lock_request|cl_sync_io_wait|osc_enter_cache',
    ],
    'a Lustre lock, or room for dirty data: other clients or the servers hold it up',
    'Another client that uses the same file and does not give the lock back; slow object storage.',
    LUSTRE,
    'lustre/ldlm/ldlm_request.c: ldlm_completion_ast',
  ),
  blocked(
    'lustre',
    [/\w+/],
    'Lustre, in {caller}',
    'A server or its disk that is slow, a connection that is being made again, or a lock that another task holds.',
    LUSTRE,
    'lustre/llite/file.c: ll_file_io_generic',
    { ...INNERMOST, module: LUSTRE_MODULES },
  ),
  blocked(
    'gpfs',
    [/cxi\w+|gpfs\w+|_ZN\w+|mmfs\w*|kSFS\w+/],
    'IBM Storage Scale (GPFS): its daemon',
    'mmfsd is stuck, or waits for a server or token.',
    ['mmdiag --waiters', 'mmgetstate -a'],
    'mmfs26/mmfslinux.c: cxiWaitEventWait',
    { module: 'mmfs26|mmfslinux' },
  ),
];
