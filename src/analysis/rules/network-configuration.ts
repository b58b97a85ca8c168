import { LOG, OTHERS_BLOCKED } from './commands.ts';
import type { Rule, Step } from './rule.ts';

const HOLDERS = ['kstack -L --function "rtnl|netlink|cleanup_net" -f long', ...OTHERS_BLOCKED, ...LOG];
const SLOW =
  'Another task configures the network slowly: driver reset, firmware, bond or bridge change, namespace teardown.';

interface NetworkLock {
  readonly id: string;
  /** Functions that take the lock and wait for nothing else. */
  readonly match: readonly Step[];
  readonly builtIn?: readonly string[];
  readonly inOrderTo: string;
  readonly source: string;
}

/** What tasks take the rtnl lock for. */
const RTNL: readonly NetworkLock[] = [
  {
    id: 'rtnl-netlink',
    match: [['rtnetlink_rcv_msg', 'rtnetlink_rcv', 'rtnl_getlink']],
    inOrderTo: 'read or change the configuration by netlink (ip, NetworkManager)',
    source: 'net/core/rtnetlink.c: rtnetlink_rcv_msg',
  },
  {
    id: 'rtnl-netlink-link',
    match: [['rtnl_newlink', 'rtnl_dellink', 'rtnl_setlink', 'do_setlink']],
    inOrderTo: 'change an interface (ip link)',
    source: 'net/core/rtnetlink.c: rtnl_newlink',
  },
  {
    id: 'rtnl-netlink-address',
    match: [['inet_rtm_newaddr', 'inet_rtm_deladdr', 'inet6_rtm_newaddr', 'inet6_rtm_deladdr']],
    inOrderTo: 'change the addresses of an interface (ip address)',
    source: 'net/ipv4/devinet.c: inet_rtm_newaddr',
  },
  {
    id: 'rtnl-netlink-route',
    match: [['inet_rtm_newroute', 'inet_rtm_delroute', 'inet6_rtm_newroute', 'inet6_rtm_delroute']],
    inOrderTo: 'change routes (ip route)',
    source: 'net/ipv4/fib_frontend.c: inet_rtm_newroute',
  },
  {
    id: 'rtnl-traffic-control',
    match: [['tc_new_tfilter', 'tc_del_tfilter', 'tc_modify_qdisc', 'tc_get_qdisc', 'tc_ctl_tclass']],
    inOrderTo: 'change traffic control (tc)',
    source: 'net/sched/cls_api.c: tc_new_tfilter',
  },
  {
    id: 'rtnl-dump',
    match: [
      ['__netlink_dump_start', 'netlink_dump', 'netlink_dump_start', 'rtnl_dumpit', 'rtnl_dump_all'],
      ['rtnetlink_rcv_msg', 'netlink_recvmsg'],
    ],
    inOrderTo: 'list interfaces, addresses or routes',
    source: 'net/netlink/af_netlink.c: __netlink_dump_start',
  },
  {
    id: 'rtnl-dump-old',
    match: [['rtnl_dumpit', 'rtnl_dump_all']],
    inOrderTo: 'list interfaces, addresses or routes',
    source: 'net/core/rtnetlink.c: rtnl_dumpit',
  },
  {
    id: 'rtnl',
    match: [
      [
        'dev_ioctl',
        'devinet_ioctl',
        'addrconf_ioctl',
        'addrconf_add_ifaddr',
        'addrconf_del_ifaddr',
        'ip_rt_ioctl',
        'ipv6_route_ioctl',
        'wext_handle_ioctl',
        'wext_ioctl_dispatch',
        'vlan_ioctl_handler',
        'br_ioctl_stub',
        'sock_ioctl',
        'sock_do_ioctl',
        'tun_chr_ioctl',
        '__tun_chr_ioctl',
        'tun_chr_close',
        'ppp_ioctl',
        'dev_ifconf',
      ],
    ],
    inOrderTo: 'read or change an interface by ioctl (ifconfig, iwconfig, a daemon)',
    source: 'net/core/dev_ioctl.c: dev_ioctl',
  },
  {
    id: 'rtnl-ipv6-addresses',
    match: [['addrconf_verify_work', 'addrconf_dad_work', 'mld_dad_work', 'ipv6_mc_config']],
    inOrderTo: 'check IPv6 addresses',
    source: 'net/ipv6/addrconf.c: addrconf_verify_work',
  },
  {
    id: 'rtnl-ipv6-tunnel',
    match: [['addrconf_set_dstaddr']],
    inOrderTo: 'set the other end of a tunnel of IPv6',
    source: 'net/ipv6/addrconf.c: addrconf_set_dstaddr',
  },
  {
    id: 'rtnl-wifi-add',
    match: [['ieee80211_register_hw', 'wiphy_register']],
    inOrderTo: 'add a WiFi adapter',
    source: 'net/mac80211/main.c: ieee80211_register_hw',
  },
  {
    id: 'rtnl-wifi-remove',
    match: [['ieee80211_unregister_hw', 'wiphy_unregister', 'cfg80211_destroy_iface_wk', 'cfg80211_destroy_ifaces']],
    inOrderTo: 'remove a WiFi adapter or an interface of it',
    source: 'net/mac80211/main.c: ieee80211_unregister_hw',
  },
  {
    id: 'rtnl-wifi-suspend',
    match: [['wiphy_suspend']],
    inOrderTo: 'suspend a WiFi adapter',
    source: 'net/wireless/sysfs.c: wiphy_suspend',
  },
  {
    id: 'rtnl-wifi-resume',
    match: [['wiphy_resume']],
    inOrderTo: 'resume a WiFi adapter',
    source: 'net/wireless/sysfs.c: wiphy_resume',
  },
  {
    id: 'rtnl-unregister-rest',
    match: [['netdev_run_todo', 'netdev_wait_allrefs', 'netdev_wait_allrefs_any']],
    inOrderTo: 'finish the removal of a network device',
    source: 'net/core/dev.c: netdev_run_todo',
  },
  {
    id: 'rtnl-rfkill',
    match: [['cfg80211_rfkill_set_block', 'cfg80211_rfkill_block_work', 'cfg80211_rfkill_sync_work']],
    inOrderTo: 'switch a WiFi adapter off (rfkill)',
    source: 'net/wireless/core.c: cfg80211_rfkill_set_block',
  },
  {
    id: 'rtnl-radar',
    match: [['cfg80211_dfs_channels_update_work', 'cfg80211_propagate_radar_detect_wk']],
    inOrderTo: 'update the channels with radar',
    source: 'net/wireless/mlme.c: cfg80211_dfs_channels_update_work',
  },
  {
    id: 'rtnl-tap',
    match: [['tap_release', 'tap_ioctl']],
    inOrderTo: 'use or close a tap device',
    source: 'drivers/net/tap.c: tap_release',
  },
  {
    id: 'rtnl-link-watch',
    match: [['linkwatch_event', 'linkwatch_run_queue', 'netdev_work_proc']],
    inOrderTo: 'act on a link that went up or down',
    source: 'net/core/link_watch.c: linkwatch_event',
  },
  {
    id: 'rtnl-regulatory',
    match: [['reg_check_chans_work', 'reg_todo', 'reg_process_hint', 'crda_timeout_work']],
    inOrderTo: 'apply radio regulations',
    source: 'net/wireless/reg.c: reg_todo',
  },
  {
    id: 'rtnl-multicast',
    match: [
      [
        'ip_mc_join_group',
        'ip_mc_leave_group',
        'ip_mc_drop_socket',
        'ipv6_sock_mc_join',
        'ipv6_sock_mc_drop',
        'ipv6_sock_mc_close',
        'do_ip_setsockopt',
        'do_ipv6_setsockopt',
        'packet_release',
        'packet_setsockopt',
      ],
    ],
    inOrderTo: 'change what a socket receives (multicast groups)',
    source: 'net/ipv4/igmp.c: ip_mc_join_group',
  },
  {
    id: 'rtnl-register',
    match: [['register_netdev', 'net_rx_queue_update_kobjects']],
    inOrderTo: 'add a network device',
    source: 'net/core/dev.c: register_netdev',
  },
  {
    id: 'rtnl-unregister',
    match: [['unregister_netdev']],
    inOrderTo: 'remove a network device',
    source: 'net/core/dev.c: unregister_netdev',
  },
  {
    id: 'rtnl-notifier-register',
    match: [['register_netdevice_notifier', 'register_netdevice_notifier_net', 'register_netdevice_notifier_dev_net']],
    inOrderTo: 'listen for changes of network devices',
    source: 'net/core/dev.c: register_netdevice_notifier',
  },
  {
    id: 'rtnl-notifier-unregister',
    match: [
      ['unregister_netdevice_notifier', 'unregister_netdevice_notifier_net', 'unregister_netdevice_notifier_dev_net'],
    ],
    inOrderTo: 'stop listening for changes of network devices',
    source: 'net/core/dev.c: unregister_netdevice_notifier',
  },
  {
    id: 'rtnl-sysfs',
    match: [['netdev_store', 'carrier_show', 'speed_show', 'duplex_show', 'phys_port_id_show', 'phys_switch_id_show']],
    builtIn: ['carrier_show', 'speed_show'],
    inOrderTo: 'read or set a value of an interface in /sys/class/net',
    source: 'net/core/net-sysfs.c: speed_show',
  },
  {
    id: 'rtnl-ethtool',
    match: [
      ['rtnl_lock', 'rtnl_lock_killable'],
      ['ethtool_set', 'ethnl_default_set_doit', 'ethnl_default_doit', 'ethnl_default_dumpit', 'dev_ethtool'],
    ],
    inOrderTo: 'read or set a value of an interface (ethtool)',
    source: 'net/ethtool/netlink.c: ethnl_default_doit',
  },
];

/** The configuration of the network. */
export const NETWORK_CONFIGURATION: readonly Rule[] = [
  ...RTNL.map(
    ({ inOrderTo, ...rest }): Rule => ({
      ...rest,
      kind: 'blocked',
      sleeps: ['lock'],
      lock: 'mutex',
      innermost: true,
      waitsFor: `the lock of the network configuration (rtnl), which another task holds, in order to ${inOrderTo}`,
      causes: SLOW,
      stuck: ['rtnl'],
      next: HOLDERS,
    }),
  ),
  {
    id: 'rtnl-other',
    kind: 'blocked',
    match: [['rtnl_lock', 'rtnl_lock_killable', 'rtnl_lock_interruptible', 'rtnl_net_lock', 'rtnl_net_lock_killable']],
    fallback: true,
    sleeps: ['lock'],
    waitsFor: 'the lock of the network configuration (rtnl) that {caller} takes: another task holds it',
    causes: SLOW,
    stuck: ['rtnl'],
    next: HOLDERS,
    source: 'net/core/rtnetlink.c: rtnl_lock',
  },
  {
    id: 'net-device-refs',
    kind: 'blocked',
    match: [['netdev_wait_allrefs', 'netdev_wait_allrefs_any', 'netdev_run_todo']],
    sleeps: ['delay', 'schedule', 'event'],
    likely: true,
    waitsFor: 'references to a network device to be released: it is being removed',
    causes: 'A reference leak: the log says "waiting for NAME to become free".',
    stuck: ['rtnl'],
    next: ['dmesg | grep -i "waiting for"', ...HOLDERS],
    source: 'net/core/dev.c: netdev_wait_allrefs_any',
  },
  {
    id: 'net-device-unregister',
    kind: 'blocked',
    match: [
      [
        'unregister_netdevice_many',
        'rollback_registered_many',
        'unregister_netdevice_many_notify',
        'unregister_netdevice_queue',
      ],
    ],
    outer: true,
    waitsFor: 'a network device to be removed',
    inOrderTo: 'remove a network device',
    causes: 'A driver or its firmware is slow, or RCU grace periods are.',
    stuck: ['rtnl'],
    next: [...LOG, 'cat /proc/net/dev', ...OTHERS_BLOCKED],
    source: 'net/core/dev.c: unregister_netdevice_many_notify',
  },
  {
    id: 'net-device-close',
    kind: 'blocked',
    match: [['__dev_close_many', 'dev_close_many', 'dev_close', 'dev_deactivate_many', 'dev_deactivate']],
    outer: true,
    waitsFor: 'packets in the queues of a network device to be gone',
    inOrderTo: 'take a network device down',
    causes: 'Packets or polling in progress do not finish: a driver or its firmware.',
    stuck: ['rtnl'],
    next: [...LOG, 'cat /proc/net/dev', ...OTHERS_BLOCKED],
    source: 'net/sched/sch_generic.c: dev_deactivate_many',
  },
  {
    id: 'net-device-poll',
    kind: 'blocked',
    match: [['napi_disable', 'napi_disable_locked', 'napi_set_threaded', 'napi_stop_kthread']],
    sleeps: ['delay', 'schedule'],
    waitsFor: 'the polling of a network device (NAPI) to finish',
    causes: 'The poll function does not finish: a driver, its firmware, or a CPU that runs no softirqs.',
    stuck: ['rtnl'],
    next: [...LOG, 'cat /proc/softirqs', 'cat /proc/interrupts'],
    source: 'net/core/dev.c: napi_disable_locked',
  },
  {
    id: 'wifi-users',
    kind: 'blocked',
    match: ['wiphy_unregister'],
    innermost: true,
    waitsFor: 'all interfaces of a WiFi adapter to be closed, so that it can be removed',
    inOrderTo: 'remove a WiFi adapter',
    causes: 'A program still uses an interface, or the driver did not count one down.',
    stuck: ['rtnl', 'wireless'],
    next: [...LOG, ...OTHERS_BLOCKED],
    source: 'net/wireless/core.c: wiphy_unregister',
  },
  {
    id: 'wireless-configuration',
    kind: 'blocked',
    match: [['rtnl_lock', 'rtnl_lock_killable'], 'nl80211_pre_doit'],
    sleeps: ['lock'],
    innermost: true,
    waitsFor: 'the lock of the network configuration (rtnl), which another task holds, in order to configure Wi-Fi',
    causes: 'The driver or firmware of a Wi-Fi card is slow.',
    stuck: ['rtnl'],
    next: HOLDERS,
    source: 'net/wireless/nl80211.c: nl80211_pre_doit',
  },
];
