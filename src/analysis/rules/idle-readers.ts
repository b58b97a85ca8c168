import { idleLoops } from './idle-loop.ts';
import type { Rule } from './rule.ts';

/** What is waited for, what for, the file where, and the functions, separated by spaces. */
const LOOPS: readonly (readonly [id: string, waitsFor: string, inOrderTo: string, file: string, functions: string])[] =
  [
    [
      'idle-kfence',
      'the next allocation that KFENCE is to check',
      'check allocations (KFENCE)',
      'mm/kfence/core.c',
      'toggle_allocation_gate',
    ],
    [
      'idle-userfault',
      'a page fault in memory that it handles (userfaultfd)',
      'handle page faults (userfaultfd)',
      'fs/userfaultfd.c',
      'userfaultfd_ctx_read userfaultfd_read userfaultfd_read_iter',
    ],
    [
      'idle-sockmap-data',
      'data on a socket (BPF socket map)',
      'receive on a socket',
      'net/unix/unix_bpf.c',
      'unix_msg_wait_data unix_bpf_recvmsg vsock_msg_wait_data vsock_bpf_recvmsg udp_msg_wait_data udp_bpf_recvmsg',
    ],
    [
      'idle-bluetooth-socket',
      'data or a connection on a Bluetooth socket',
      'use a Bluetooth socket',
      'net/bluetooth/l2cap_sock.c',
      'l2cap_sock_accept rfcomm_sock_accept sco_sock_accept iso_sock_accept bt_sock_data_wait bt_sock_stream_recvmsg',
    ],
    [
      'idle-tipc',
      'a message or a connection on a TIPC socket',
      'use a TIPC socket',
      'net/tipc/socket.c',
      'tipc_wait_for_rcvmsg tipc_wait_for_accept',
    ],
    [
      'idle-rxrpc',
      'packets of AFS (RxRPC)',
      'receive packets of AFS (RxRPC)',
      'net/rxrpc/io_thread.c',
      'rxrpc_io_thread rxrpc_recvmsg',
    ],
    [
      'idle-ipvs',
      'work (IPVS)',
      'work for IPVS',
      'net/netfilter/ipvs/ip_vs_sync.c',
      'sync_thread_master sync_thread_backup ip_vs_estimation_kthread',
    ],
    [
      'idle-hibernation',
      'pages to compress or expand (hibernation)',
      'compress or expand an image (hibernation)',
      'kernel/power/swap.c',
      'crc32_threadfn compress_threadfn decompress_threadfn lzo_compress_threadfn lzo_decompress_threadfn',
    ],
    [
      'idle-cpumap',
      'packets for its CPU (BPF CPU map)',
      'handle packets (BPF CPU map)',
      'kernel/bpf/cpumap.c',
      'cpu_map_kthread_run',
    ],
    [
      'idle-dm-thread',
      'writes to a device-mapper device',
      'write to a device-mapper device',
      'drivers/md/dm-writecache.c',
      'writecache_flush_thread writecache_endio_thread log_writes_kthread',
    ],
    [
      'idle-iser-connection',
      'the end of its connection: the RDMA adapter delivers the requests of the initiator (iSER)',
      'serve an iSCSI initiator over RDMA',
      'drivers/infiniband/ulp/isert/ib_isert.c',
      'isert_get_rx_pdu',
    ],
    [
      'idle-cxgbit',
      'the next request of an iSCSI initiator (Chelsio)',
      'serve an iSCSI initiator',
      'drivers/target/iscsi/cxgbit/cxgbit_target.c',
      'cxgbit_wait_rxq',
    ],
    [
      'idle-vdo-index',
      'pages to read, or chapters to write, of the deduplication index of a VDO device',
      'use the deduplication index of a VDO device',
      'drivers/md/dm-vdo/indexer/volume.c',
      'read_thread_function close_chapters',
    ],
    [
      'idle-lustre-sync',
      'changes to send to another server of Lustre',
      'send changes to another server of Lustre',
      'lustre/osp/osp_sync.c',
      'osp_sync_process_queues',
    ],
    [
      'idle-lustre-service',
      'a request of Lustre to serve',
      'serve requests of Lustre',
      'lustre/ptlrpc/service.c',
      'ptlrpc_wait_event ptlrpc_main ptlrpc_hr_main ldlm_bl_thread_main',
    ],
    [
      'idle-lustre-thread',
      'work for Lustre',
      'work for Lustre',
      'lustre/ptlrpc/ptlrpcd.c',
      'ptlrpcd ping_evictor_main expired_lock_main mgc_requeue_thread mgs_ir_notify mdt_coordinator qsd_upd_thread ' +
        'qmt_reba_thread osp_precreate_thread osp_send_update_thread distribute_txn_commit_thread ll_statahead_thread ' +
        'll_agl_thread ofd_inconsistency_verification_main lcw_dispatch_main cfs_wi_scheduler',
    ],
    [
      'idle-lustre-network',
      'messages or connections of the Lustre network (LNet)',
      'work for the Lustre network (LNet)',
      'lnet/lnet/lib-move.c',
      'lnet_monitor_thread lnet_peer_discovery lnet_acceptor lnet_sock_accept ksocknal_scheduler ksocknal_connd ' +
        'ksocknal_reaper kiblnd_scheduler kiblnd_connd',
    ],
    [
      'idle-usb-function',
      'a USB host that sets up this device (FunctionFS)',
      'exchange data with a USB host',
      'drivers/usb/gadget/function/f_fs.c',
      'ffs_epfile_wait_ep',
    ],
    [
      'idle-ocfs2-downconvert',
      'another node to ask for a lock of OCFS2',
      'give up locks of OCFS2',
      'fs/ocfs2/dlmglue.c',
      'ocfs2_downconvert_thread',
    ],
    [
      'idle-dlm-thread',
      'work of the lock manager of OCFS2',
      'work for the lock manager of OCFS2',
      'fs/ocfs2/dlm/dlmthread.c',
      'dlm_thread',
    ],
    [
      'idle-hotplug-thread',
      'an event of a PCI slot',
      'handle events of PCI slots',
      'drivers/pci/hotplug/pciehp_hpc.c',
      'pciehp_poll',
    ],
    [
      'idle-xenbus-probe',
      'a change in the Xen store',
      'handle changes in the Xen store',
      'drivers/xen/xenbus/xenbus_probe.c',
      'xenbus_probe_thread',
    ],
    ['idle-event-channel', 'an event channel of Xen', 'read events of Xen', 'drivers/xen/evtchn.c', 'evtchn_read'],
    [
      'idle-vhost-work',
      'virtio requests from a guest, as a vhost worker',
      'serve virtio requests of a guest',
      'drivers/vhost/vhost.c',
      'vhost_run_work_kthread_list vhost_chr_read_iter',
    ],
    [
      'idle-ipmi',
      'the management controller (BMC) to have something to say',
      'talk to the management controller (IPMI)',
      'drivers/char/ipmi/ipmi_si_intf.c',
      'ipmi_thread kcs_bmc_ipmi_read bt_bmc_read ssif_bmc_read',
    ],
    [
      'idle-acpi-pad',
      'its next turn to keep a CPU idle (ACPI processor aggregator)',
      'keep a CPU idle',
      'drivers/acpi/acpi_pad.c',
      'power_saving_thread',
    ],
    [
      'idle-ccp',
      'a command for the AMD cryptographic coprocessor',
      'run commands on the AMD cryptographic coprocessor',
      'drivers/crypto/ccp/ccp-dev.c',
      'ccp_cmd_queue_thread',
    ],
    [
      'idle-v4l2-event',
      'an event of a video device',
      'read events of a video device',
      'drivers/media/v4l2-core/v4l2-event.c',
      'v4l2_event_dequeue',
    ],
    [
      'idle-remote-control',
      'the signal of a remote control',
      'receive from a remote control',
      'drivers/media/rc/rc-ir-raw.c',
      'ir_raw_event_thread lirc_read_mode2 lirc_read_scancode lirc_read',
    ],
    [
      'idle-modem-lines',
      'a change of the modem lines of a serial port',
      'wait for the modem lines of a serial port',
      'drivers/tty/serial/serial_core.c',
      'uart_wait_modem_status',
    ],
    [
      'idle-hid-events',
      'an event of an input device',
      'read events of an input device',
      'drivers/hid/hid-debug.c',
      'hid_debug_events_read roccat_read',
    ],
    [
      'idle-apparmor',
      'a change of the AppArmor policy',
      'watch the AppArmor policy',
      'security/apparmor/apparmorfs.c',
      'ns_revision_read',
    ],
  ];

/** Those whose threads wait for new work by a completion. */
const BY_COMPLETION: ReadonlySet<string> = new Set(['idle-iser-connection', 'idle-lustre-network']);

/** Tasks that wait for work: threads of drivers and file systems, and readers of sockets and devices. */
export const IDLE_READERS: readonly Rule[] = idleLoops(
  LOOPS.map(([id, waitsFor, inOrderTo, file, names]) => {
    const functions = names.split(' ');
    const completion = BY_COMPLETION.has(id) && ({ completion: true } as const);
    return { id, match: [functions], waitsFor, inOrderTo, source: `${file}: ${functions[0]}`, ...completion };
  }),
);
