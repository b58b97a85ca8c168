import type { Rule } from './rule.ts';
import { waitTable } from './wait-table.ts';

/** Waits of networks, USB and media devices, by functions that wait for one thing. */
export const WAITS_OF_NETWORKS: readonly Rule[] = waitTable(
  'The peer, the device or its driver does not answer, or another task uses it.',
  [
    [
      'wait-for-dvb-users',
      'programs that still use a television receiver (DVB) to close it',
      'drivers/media/dvb-core/dvb_frontend.c',
      'dvb_unregister_frontend dvb_dmxdev_release dvb_net_release',
    ],
    [
      'wait-for-usbfs-transfer',
      'a transfer that it asked for on a USB device (usbfs) to complete',
      'drivers/usb/core/devio.c',
      'usbfs_start_wait_urb do_proc_control proc_control do_proc_bulk',
    ],
    [
      'wait-for-usb-anchor',
      'transfers in flight of a USB device to complete',
      'drivers/usb/core/urb.c',
      'usb_wait_anchor_empty_timeout',
    ],
    ['wait-for-usb-suspended', 'a USB device to be resumed', 'drivers/usb/core/devio.c', 'proc_wait_for_resume'],
    [
      'wait-for-xhci-port',
      'a port of a USB controller (xHCI) to resume',
      'drivers/usb/host/xhci-hub.c',
      'xhci_handle_usb2_port_link_resume xhci_hub_control',
    ],
    [
      'wait-for-xhci-command',
      'a USB controller (xHCI) to carry out or stop a command',
      'drivers/usb/host/xhci-ring.c',
      'xhci_abort_cmd_ring xhci_endpoint_reset',
    ],
    [
      'wait-for-radio-peer',
      'the peer of an amateur radio or X.25 connection to answer',
      'net/ax25/af_ax25.c',
      'ax25_connect nr_connect rose_connect x25_wait_for_connection_establishment x25_connect',
    ],
    [
      'wait-for-genetlink-sockets',
      'sockets of generic netlink that are being closed',
      'net/netlink/genetlink.c',
      'genl_unregister_family',
    ],
    [
      'wait-for-rxrpc-calls',
      'the last calls or connections of RxRPC (AFS) to end',
      'net/rxrpc/call_object.c',
      'rxrpc_destroy_all_calls rxrpc_destroy_all_connections',
    ],
    [
      'wait-for-rxrpc-window',
      'the RxRPC (AFS) peer to take more data or to answer',
      'net/rxrpc/sendmsg.c',
      'rxrpc_wait_for_tx_window_intr rxrpc_wait_for_tx_window_nonintr rxrpc_wait_for_tx_window_waitall',
      'rxrpc_wait_for_tx_window rxrpc_wait_to_be_connected',
    ],
    [
      'wait-for-smc-links',
      'the links of an SMC connection to end, or another change of them to finish',
      'net/smc/smc_llc.c',
      'smc_llc_flow_initiate smc_cdc_wait_pend_tx_wr smc_smcr_terminate_all smc_lgrs_shutdown',
    ],
    [
      'wait-for-tipc-work',
      'workers of TIPC to finish, before a network namespace goes',
      'net/tipc/core.c',
      'tipc_exit_net',
    ],
    [
      'wait-for-wpan-users',
      'users of an IEEE 802.15.4 adapter to let go of it',
      'net/ieee802154/core.c',
      'wpan_phy_unregister ieee802154_sync_queue',
    ],
    [
      'wait-for-rds-rdma',
      'an RDMA adapter to complete a request of RDS',
      'net/rds/ib_frmr.c',
      'rds_ib_post_reg_frmr rds_ib_post_inv rds_ib_conn_path_shutdown rds_ib_flush_mr_pool',
    ],
    ['wait-for-rds-send', 'room in the queue of an RDS socket', 'net/rds/send.c', 'rds_sendmsg rds_send_mprds_hash'],
    [
      'wait-for-atm-daemon',
      'the ATM signalling daemon to answer',
      'net/atm/svc.c',
      'svc_disconnect svc_bind svc_connect svc_listen svc_change_qos svc_addparty svc_dropparty',
    ],
    [
      'wait-for-can-transfer',
      'a transfer on the CAN bus (ISO-TP, J1939) to end',
      'net/can/isotp.c',
      'isotp_sendmsg isotp_release j1939_sk_release',
    ],
    [
      'wait-for-dccp-send',
      'its data to be sent, before a DCCP connection is closed',
      'net/dccp/output.c',
      'dccp_wait_for_ccid dccp_flush_write_queue',
    ],
    [
      'wait-for-qrtr-flow',
      'a remote processor to take more messages (QRTR)',
      'net/qrtr/af_qrtr.c',
      'qrtr_tx_wait qrtr_node_enqueue',
    ],
    [
      'wait-for-rdma-send-queue',
      'a free place in the send queue of an RDMA connection of NFS',
      'net/sunrpc/xprtrdma/svc_rdma_sendto.c',
      'svc_rdma_post_send svc_rdma_post_send_err svc_rdma_send',
    ],
    [
      'wait-for-rdma-transports',
      'transports of NFS over an RDMA adapter that is removed to go',
      'net/sunrpc/xprtrdma/ib_client.c',
      'rpcrdma_remove_one',
    ],
    [
      'wait-for-fragment-queues',
      'queues of IP fragments to be freed',
      'net/ipv4/inet_fragment.c',
      'inet_frags_fini fqdir_exit',
    ],
    [
      'wait-for-pktgen-threads',
      'the threads of the packet generator (pktgen) to act',
      'net/core/pktgen.c',
      'pktgen_mark_device pktgen_run_all_threads pktgen_reset_all_threads pktgen_create_thread',
    ],
    [
      'wait-for-wiphy-debugfs',
      'the worker of a WiFi adapter to read or write a file of debugfs',
      'net/wireless/debugfs.c',
      'wiphy_locked_debugfs_read wiphy_locked_debugfs_write',
    ],
    ['wait-for-nfc-answer', 'an NFC chip to answer', 'net/nfc/nci/core.c', '__nci_request llc_shdlc_connect'],
    [
      'wait-for-caif-modem',
      'the modem of a CAIF connection to answer',
      'net/caif/caif_socket.c',
      'caif_connect chnl_net_open caif_wait_for_flow_on',
    ],
    [
      'wait-for-batman-test',
      'the throughput test of a mesh network (batman-adv)',
      'net/batman-adv/tp_meter.c',
      'batadv_tp_wait_available batadv_tp_stop_all',
    ],
    ['wait-for-p9-gadget', 'the USB host to answer a request for 9P files', 'net/9p/trans_usbg.c', 'p9_usbg_request'],
  ],
);
