import { LOG, OTHERS_BLOCKED } from './commands.ts';
import { lockRule } from './lock-rule.ts';
import type { Pattern, Rule } from './rule.ts';

const SLOW = 'That task configures the network slowly, or waits for an adapter.';

/** Locks of parts of the network, and the functions that take no other. */
const LOCKS: readonly (readonly [id: string, waitsFor: string, source: string, ...takers: Pattern[]])[] = [
  [
    'openvswitch-lock',
    'the lock of Open vSwitch (ovs_mutex)',
    'net/openvswitch/datapath.c: ovs_lock',
    /ovs_(?:lock|dp_cmd_\w+|flow_cmd_\w+|vport_cmd_\w+|exit_net|dp_masks_rebalance)/,
  ],
  [
    'ipsec-lock',
    'the lock of the IPsec configuration (xfrm_cfg_mutex)',
    'net/xfrm/xfrm_user.c: xfrm_netlink_rcv',
    'xfrm_netlink_rcv',
    'pfkey_sendmsg',
  ],
  [
    'mlx5-state-lock',
    'the lock of the state of a Mellanox network adapter (intf_state_mutex)',
    'drivers/net/ethernet/mellanox/mlx5/core/main.c: mlx5_load_one',
    /mlx5_(?:un)?load_one\w*|mlx5_(?:un)?init_one\w*|mlx5_recover_device|mlx5_error_sw_reset|mlx5_enter_error_state/,
  ],
  [
    'mlx5e-state-lock',
    'the lock of the state of a Mellanox network interface (state_lock)',
    'drivers/net/ethernet/mellanox/mlx5/core/en_main.c: mlx5e_open',
    /mlx5e_(?:open|close|update_stats_work|set_rx_mode_work|update_carrier_work|change_mtu|ethtool_\w+|set_\w+|get_\w+)/,
  ],
  [
    'iavf-lock',
    'the lock of a virtual network adapter (iavf, crit_lock)',
    'drivers/net/ethernet/intel/iavf/iavf_main.c: iavf_close',
    /iavf_(?:watchdog_task|adminq_task|reset_task|open|close|remove|shutdown|suspend|resume|change_mtu|set_\w+)/,
  ],
  [
    'ice-vf-lock',
    'the lock of a virtual function of a network adapter (ice)',
    'drivers/net/ethernet/intel/ice/ice_virtchnl.c: ice_vc_process_vf_msg',
    'ice_vc_process_vf_msg',
    'ice_reset_vf',
    'ice_set_vf_mac',
    'ice_set_vf_port_vlan',
    'ice_set_vf_trust',
  ],
  [
    'mptcp-lock',
    'the lock of an MPTCP connection',
    'net/mptcp/mptcp_ctrl.c: mptcp_sub_close_wq',
    'mptcp_sub_close_wq',
    'mptcp_address_worker',
  ],
  [
    'multicast-lock',
    'the lock of the multicast groups of an interface (mc_lock)',
    'net/ipv6/mcast.c: mld_ifc_work',
    'mld_ifc_work',
    'mld_report_work',
    'mld_query_work',
    'mld_gq_work',
  ],
  [
    'wifi-interfaces-lock',
    'the lock of the list of interfaces of a WiFi adapter (iflist_mtx)',
    'net/mac80211/util.c: ieee80211_iterate_interfaces',
    'ieee80211_iterate_interfaces',
  ],
  [
    'can-j1939-lock',
    'the lock of the interfaces of J1939 (CAN)',
    'net/can/j1939/main.c: j1939_netdev_start',
    'j1939_netdev_start',
    'j1939_netdev_stop',
  ],
];

export const NETWORK_LOCKS: readonly Rule[] = LOCKS.map(([id, lock, source, ...takers]) =>
  lockRule({
    id,
    takers,
    lock: 'mutex',
    waitsFor: `${lock}, which another task holds`,
    causes: SLOW,
    next: [...OTHERS_BLOCKED, ...LOG],
    stuck: ['rtnl', 'device'],
    source,
  }),
);
