import { LOG, NETWORK_DEVICES, OTHERS_BLOCKED } from './commands.ts';
import { lockRule } from './lock-rule.ts';
import type { Pattern, Rule } from './rule.ts';

const AT_RTNL = ['kstack -L --function "rtnl|netdev|netlink" -f long', ...OTHERS_BLOCKED, ...LOG];
const SLOW_CONFIGURATION =
  'Another task configures the network slowly: driver reset, firmware, bond or bridge change, namespace teardown.';
const SLOW_DRIVER = 'The link, a reset or the firmware of the adapter is slow, or does not finish.';

/** Functions that take the rtnl lock, with what they take it for. */
const RTNL_TAKERS: readonly (readonly [id: string, purpose: string, source: string, takers: readonly Pattern[]])[] = [
  [
    'bond',
    'check the links of a bond',
    'drivers/net/bonding/bond_main.c: bond_mii_monitor',
    [
      'bond_mii_monitor',
      'bond_netdev_notify_work',
      'bond_ab_arp_inspect',
      'bond_activebackup_arp_mon',
      'bond_3ad_state_machine_handler',
      'bond_alb_monitor',
      'bond_resend_igmp_join_requests_delayed',
    ],
  ],
  [
    'team',
    'check the links of a team device',
    'drivers/net/team/team_core.c: team_mcast_rejoin_work',
    ['team_mcast_rejoin_work', 'team_notify_peers_work', 'lb_stats_refresh'],
  ],
  [
    'switch',
    'change a port of a bridge or switch',
    'net/switchdev/switchdev.c: switchdev_deferred_process_work',
    [
      'switchdev_deferred_process_work',
      'br_forward_delay_timer_expired',
      'brport_store',
      'store_bridge_parm',
      'br_multicast_startup',
      'netif_carrier_watch',
    ],
  ],
  [
    'sysctl',
    'apply a network setting of /proc/sys',
    'net/ipv6/addrconf.c: addrconf_sysctl_forward',
    [
      'addrconf_sysctl_forward',
      'addrconf_sysctl_disable',
      'addrconf_sysctl_disable_policy',
      'devinet_sysctl_forward',
      'addrconf_sysctl_proxy_ndp',
      'ipv4_doint_and_flush',
      'addrconf_sysctl_addr_gen_mode',
    ],
  ],
  [
    'wireguard',
    'configure a WireGuard interface',
    'drivers/net/wireguard/netlink.c: wg_set_device',
    [
      'wg_set_device',
      'wg_get_device_dump',
      'wg_get_device_start',
      'wg_get_device',
      'wg_netns_pre_exit',
      'wg_set_device_doit',
    ],
  ],
  [
    'xdp',
    'attach or detach an XDP program',
    'net/core/dev.c: bpf_xdp_link_attach',
    [
      'bpf_xdp_link_attach',
      'bpf_xdp_link_release',
      'tcx_prog_attach',
      'tcx_link_attach',
      'bpf_netns_link',
      'netkit_prog_attach',
    ],
  ],
  [
    'reset',
    'reset a network adapter',
    'drivers/net/ethernet/intel/igb/igb_main.c: igb_reset_task',
    [
      /(?:e1000|igb|igc|ixgbe|ixgbevf|fm10k|i40e|ice|tg3|bnx2x?|bnxt|vmxnet3|stmmac|atl1c)_(?:fw_)?reset_(?:sub)?(?:task|work)/,
      /(?:e1000|igb|igc|ixgbe|ixgbevf|fm10k|i40e|ice|tg3|bnx2x?|bnxt|be|mlx4_en|qede)_io_(?:error_detected|slot_reset|resume)/,
      'bnxt_sp_task',
      'bnx2x_sp_rtnl_task',
      'ena_fw_reset_device',
      'fec_enet_timeout_work',
      'rtl_task',
      'sky2_restart',
      'cp_tx_timeout_task',
      'mlx4_en_restart',
      'gve_service_task',
    ],
  ],
  [
    'service',
    'look after a network adapter (its link, a reset)',
    'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c: ixgbe_service_task',
    [/(?:ixgbe|ixgbevf|fm10k|i40e|ice|stmmac)_service_task/, 'qede_sp_task', 'iavf_finish_config'],
  ],
  [
    'power',
    'suspend or resume a network adapter',
    'drivers/net/ethernet/intel/igb/igb_main.c: __igb_resume',
    [
      /_*(?:e1000|e1000e|igb|igc|ixgbe|ixgbevf|i40e|iavf|ice|tg3|bnx2x?|bnxt|r8169|rtl8169|rtl|ena|mlx5e|be|qede|hns3|virtnet|vmxnet3|atl1c|alx|sky2|fec|stmmac|lan743x)_(?:runtime_|net_)?(?:resume|suspend)\w*/,
    ],
  ],
  [
    'phy',
    'handle a change of the transceiver of a network interface',
    'drivers/net/phy/phylink.c: phylink_resolve',
    [
      'phylink_resolve',
      'phylink_disconnect_phy',
      'sfp_timeout',
      'sfp_check_state',
      'sfp_sm_event',
      'phy_probe_of_sfp',
      'phy_remove',
    ],
  ],
];

function rtnlRules(): Rule[] {
  return RTNL_TAKERS.map(([id, purpose, source, takers]) =>
    lockRule({
      id: `rtnl-${id}`,
      likely: true,
      takers,
      waitsFor: `the lock of the network configuration (rtnl), which another task holds, in order to ${purpose}`,
      causes: SLOW_CONFIGURATION,
      next: AT_RTNL,
      stuck: ['rtnl'],
      source,
    }),
  );
}

/** Bonds, bridges, tunnels and drivers of network interfaces. */
export const NETWORK_INTERFACES: readonly Rule[] = [
  ...rtnlRules(),
  {
    id: 'netlink-table-lock',
    kind: 'blocked',
    match: ['netlink_table_grab'],
    waitsFor: 'the table of netlink sockets, which another task is reading',
    inOrderTo: 'change the table of netlink sockets',
    causes: 'A reader that sleeps while it sends to many sockets.',
    next: ['cat /proc/net/netlink', ...OTHERS_BLOCKED],
    source: 'net/netlink/af_netlink.c: netlink_table_grab',
  },
  {
    id: 'net-device-open',
    kind: 'blocked',
    match: [['__dev_open', 'dev_open', 'netif_open', '__dev_change_flags', 'dev_change_flags', 'netif_change_flags']],
    outer: true,
    waitsFor: 'a network interface to come up',
    inOrderTo: 'bring a network interface up',
    causes: SLOW_DRIVER,
    next: [...NETWORK_DEVICES, ...LOG],
    stuck: ['rtnl'],
    source: 'net/core/dev.c: __dev_open',
  },
  {
    id: 'bond-change',
    kind: 'blocked',
    match: [
      [
        'bond_enslave',
        '__bond_release_one',
        'bond_release',
        'bond_close',
        'bond_open',
        'bond_set_mode',
        'bond_option_mode_set',
        'bond_uninit',
        'bond_work_cancel_all',
      ],
    ],
    waitsFor: 'the interfaces of a bond',
    inOrderTo: 'change a bond',
    causes: SLOW_DRIVER,
    next: ['cat /proc/net/bonding/*', ...NETWORK_DEVICES, ...LOG],
    stuck: ['rtnl'],
    source: 'drivers/net/bonding/bond_main.c: bond_enslave',
  },
  {
    id: 'bridge-change',
    kind: 'blocked',
    match: [
      [
        'br_add_if',
        'br_del_if',
        'del_nbp',
        'br_dev_delete',
        'br_stp_set_enabled',
        'br_stp_start',
        'br_multicast_dev_del',
        'br_changelink',
        'br_vlan_flush',
        'br_fdb_flush',
      ],
    ],
    waitsFor: 'the ports of a bridge',
    inOrderTo: 'change a bridge',
    causes: 'An RCU grace period, or a driver of a port that is slow.',
    next: [...NETWORK_DEVICES, ...LOG],
    stuck: ['rtnl'],
    source: 'net/bridge/br_if.c: br_del_if',
  },
  lockRule({
    id: 'team-lock',
    likely: true,
    takers: [/team_(?!mcast_rejoin|notify_peers)\w+/],
    waitsFor: 'the lock of a team device, which another task holds',
    causes: SLOW_DRIVER,
    next: [...NETWORK_DEVICES, ...OTHERS_BLOCKED],
    stuck: ['rtnl'],
    source: 'drivers/net/team/team_core.c: team_add_slave',
  }),
  lockRule({
    id: 'wireguard-lock',
    likely: true,
    takers: [/wg_(?!set_device|get_device)\w+/],
    waitsFor: 'the lock of a WireGuard interface, which another task holds',
    causes: 'That task changes peers of the interface or takes it down.',
    next: [...NETWORK_DEVICES, ...OTHERS_BLOCKED],
    stuck: ['rtnl'],
    source: 'drivers/net/wireguard/netlink.c: wg_set_device',
  }),
  {
    id: 'wireguard',
    kind: 'blocked',
    match: [/wg_\w+/],
    innermost: true,
    waitsFor: 'packets to leave a peer of a WireGuard interface',
    inOrderTo: 'change a WireGuard interface',
    causes: 'An RCU grace period, or a worker that still encrypts packets.',
    next: [...NETWORK_DEVICES, ...OTHERS_BLOCKED],
    stuck: ['rtnl'],
    source: 'drivers/net/wireguard/peer.c: wg_peer_remove',
  },
];
