import { lockTable } from './lock-table.ts';
import type { Rule } from './rule.ts';

const CAUSES = 'Another task holds it, and waits for a network adapter, for memory, or for an RCU grace period.';

/** Locks of the network and its adapters, with the functions that take them. */
export const LOCKS_OF_NETWORKS: readonly Rule[] = [
  ...lockTable('mutex', CAUSES, [
    [
      'lock-of-page-pools',
      'of the list of page pools (page_pools_lock)',
      'net/core/page_pool_user.c',
      'page_pool_list page_pool_detached page_pool_unlist page_pool_check_memory_provider',
      'netdev_nl_page_pool_get_do',
    ],
    [
      'lock-of-sockmap',
      'of the programs of BPF socket maps (sockmap_mutex)',
      'net/core/sock_map.c',
      'sock_map_get_from_fd sock_map_prog_detach sock_map_link_update_prog sock_map_link_create',
      'sock_map_link_release',
    ],
    [
      'lock-of-ipv6-multicast',
      'of the IPv6 multicast groups of an interface (mc_lock)',
      'net/ipv6/mcast.c',
      'ip6_mc_source ip6_mc_msfilter __ipv6_dev_mc_inc __ipv6_dev_mc_dec ipv6_mc_dad_complete',
      'ip6_mc_leave_src ipv6_mc_unmap ipv6_mc_up',
    ],
    [
      'lock-of-nft-commit',
      'for changes of nftables in a network namespace (commit_mutex)',
      'net/netfilter/nf_tables_api.c',
      'nf_tables_pre_exit_net nft_indr_block_cleanup nft_offload_netdev_event nft_trans_gc_work_done',
    ],
    [
      'lock-of-xtables',
      'of the tables of iptables (xt mutex)',
      'net/netfilter/x_tables.c',
      'xt_find_table xt_table_seq_start xt_mttg_seq_next match_revfn target_revfn',
    ],
    [
      'lock-of-ipvs-services',
      'of the services of IPVS (__ip_vs_mutex)',
      'net/netfilter/ipvs/ip_vs_ctl.c',
      'ip_vs_service_nets_cleanup ip_vs_dst_event do_ip_vs_set_ctl ip_vs_genl_dump_services',
      'ip_vs_genl_dump_dests',
    ],
    [
      'lock-of-tc-actions',
      'of the table of traffic actions',
      'net/sched/act_api.c',
      'tcf_idr_search __tcf_action_put tcf_dump_walker tcf_del_walker tcf_idr_delete_index',
    ],
    [
      'lock-of-tc-block',
      'of a block of traffic filters',
      'net/sched/cls_api.c',
      '__tcf_chain_put tc_ctl_chain tc_dump_chain',
    ],
    [
      'lock-of-tls-send',
      'for sending on a TLS socket (tx_lock)',
      'net/tls/tls_device.c',
      'tls_device_splice_eof tls_sw_splice_eof',
    ],
    [
      'lock-of-netlink-dump',
      'of a dump over netlink (nl_cb_mutex)',
      'net/netlink/af_netlink.c',
      'netlink_dump __netlink_dump_start',
    ],
    [
      'lock-of-rfkill',
      'of all radio switches (rfkill_global_mutex)',
      'net/rfkill/core.c',
      'rfkill_switch_all rfkill_epo rfkill_restore_states rfkill_remove_epo_lock soft_show',
    ],
    [
      'lock-of-bt-management',
      'of the pending management commands of a Bluetooth adapter (mgmt_pending_lock)',
      'net/bluetooth/mgmt.c',
      'set_powered_sync set_ssp_sync set_le_sync set_mesh_sync pending_eir_or_class',
    ],
    [
      'lock-of-bt-l2cap',
      'of an L2CAP connection of Bluetooth',
      'net/bluetooth/l2cap_core.c',
      'l2cap_chan_add l2cap_chan_list l2cap_conn_update_id_addr l2cap_info_timeout l2cap_register_user',
    ],
    [
      'lock-of-bt-queued-commands',
      'of the queue of commands of a Bluetooth adapter (cmd_sync_work_lock)',
      'net/bluetooth/hci_sync.c',
      'hci_cmd_sync_lookup_entry hci_cmd_sync_dequeue_once hci_cmd_sync_dequeue',
      'hci_acl_cancel_create_conn_sync hci_le_cancel_create_conn_sync',
    ],
    [
      'lock-of-phy-device',
      'of a network PHY',
      'drivers/net/phy/mscc/mscc_main.c',
      'vsc85xx_led_cntl_set phy_get_rate_matching phy_ethtool_ksettings_get phy_ethtool_get_strings',
      'phy_ethtool_get_sset_count phy_ethtool_get_stats __phy_ethtool_get_phy_stats',
      '__phy_ethtool_get_link_ext_stats',
    ],
    [
      'lock-of-mdio-bus',
      'of an MDIO bus (mdio_lock)',
      'drivers/net/phy/mdio_bus.c',
      'mdiobus_c45_write mdiobus_modify mdiobus_c45_modify mdiobus_modify_changed',
      'mdiobus_c45_modify_changed',
    ],
    [
      'lock-of-phylink-state',
      'of the link of a network adapter (phylink)',
      'drivers/net/phy/phylink.c',
      'phylink_phy_change phylink_suspend phylink_resume phylink_ethtool_ksettings_set',
      'phylink_ethtool_set_pauseparam',
    ],
    [
      'lock-of-r8152',
      'of a Realtek USB network adapter',
      'drivers/net/usb/r8152.c',
      'rtl8152_set_features rtl8152_post_reset rtl8152_suspend rtl8152_get_wol rtl8152_set_wol',
    ],
    [
      'lock-of-mlx5-state',
      'of the state of a mlx5 network interface (state_lock)',
      'drivers/net/ethernet/mellanox/mlx5/core/en/health.c',
      'mlx5e_health_recover_channels mlx5e_monitor_counters_work mlx5e_rx_reporter_diagnose',
      'mlx5e_tx_reporter_timeout_recover mlx5e_tx_reporter_ptpsq_unhealthy_recover',
    ],
    [
      'lock-of-mlx5-eswitch',
      'of the embedded switch of a mlx5 adapter (state_lock)',
      'drivers/net/ethernet/mellanox/mlx5/core/esw/legacy.c',
      'mlx5_eswitch_set_vepa mlx5_esw_query_vport_drop_stats mlx5_eswitch_set_vport_vlan',
      'mlx5_eswitch_set_vport_spoofchk mlx5_eswitch_set_vport_trust',
    ],
    [
      'lock-of-ice-scheduler',
      'of the transmit scheduler of an ice adapter (sched_lock)',
      'drivers/net/ethernet/intel/ice/devlink/devlink.c',
      'ice_devlink_rate_init_tx_topology ice_devlink_rate_clear_tx_topology ice_set_object_tx_share',
      'ice_set_object_tx_max ice_set_object_tx_priority',
    ],
    [
      'lock-of-ath-conf',
      'of the configuration of an Atheros WiFi adapter (conf_mutex)',
      'drivers/net/wireless/ath/ath10k/debug.c',
      'ath10k_read_wmi_services ath10k_fw_stats_open ath10k_write_simulate_fw_crash ath10k_reg_addr_read',
      'ath10k_reg_addr_write ath10k_reg_value_read ath10k_reg_value_write ath10k_mem_value_read',
    ],
  ]),
  ...lockTable('rwsem', CAUSES, [
    [
      'lock-of-device-address',
      'of the hardware addresses of network interfaces (dev_addr_sem)',
      'net/core/dev.c',
      'dev_set_mac_address_user dev_get_mac_address',
    ],
    [
      'lock-of-nf-flowtable',
      'of a flow table of the packet filter (flow_block_lock)',
      'net/netfilter/nf_flow_table_offload.c',
      'nf_flow_offload_tuple nf_flow_table_indr_cleanup tcf_ct_flow_table_cleanup_work',
      'nf_flow_table_block_setup nf_flow_table_offload_cmd',
    ],
    [
      'lock-of-tls-offload',
      'of the TLS offload of network adapters (device_offload_lock)',
      'net/tls/tls_device.c',
      'tls_set_device_offload tls_set_device_offload_rx tls_device_offload_cleanup_rx',
    ],
    [
      'lock-of-netlink-callbacks',
      'of the families of generic netlink (cb_lock)',
      'net/netlink/genetlink.c',
      'genl_release ctrl_getfamily genl_bind genl_unbind',
    ],
    [
      'lock-of-rdma-devices',
      'of the list of RDMA adapters (devices_rwsem)',
      'drivers/infiniband/core/device.c',
      'ib_device_get_by_index ib_device_get_by_name ib_dealloc_device ib_unregister_driver',
      'ib_enum_all_roce_netdevs',
    ],
  ]),
];
