import { LOG, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule } from './rule.ts';

const CGROUPS = ['cat /proc/PID/cgroup', 'cat /proc/cgroups', ...OTHERS_BLOCKED];
const RTNL = ['ip -s link', ...OTHERS_BLOCKED];

/** cgroups, namespaces and network configuration. */
export const CGROUPS_AND_NAMESPACES: readonly Rule[] = [
  blocked(
    'cgroup-lock',
    [
      'cgroup_lock_and_drain_offline|cgroup_kn_lock_live|cgroup_mkdir|cgroup_rmdir|cgroup_procs_write|cgroup1_get_tree|proc_cgroup_show|cgroup_lock|cgroup_file_write|cgroup_destroy_locked|css_killed_work_fn|css_release_work_fn|css_free_rwork_fn|cgroup_destroy_root|cgroup1_reconfigure|proc_cgroupstats_show|cgroup_path_ns|cgroup_setup_root|cgroup_css_set_fork|task_cgroup_path|cgroup_subtree_control_write|current_cgns_cgroup_from_root|cgroup_transfer_tasks|cgroup_bpf_attach|cgroup_bpf_prog_attach|cgroup_bpf_query|cgroup_bpf_release',
    ],
    'the lock of the cgroup hierarchy',
    'Many containers that start and stop, or a cgroup operation that is stuck.',
    CGROUPS,
    'kernel/cgroup/cgroup.c: cgroup_kn_lock_live',
    INNERMOST,
  ),
  blocked(
    'cgroup-dying',
    ['cgroup_drain_dying'],
    'the last tasks of a cgroup to be gone, in order to remove it',
    'A task that has ended, but whose parent or tracer has not collected it, or that is stuck on its way out.',
    ['cat /sys/fs/cgroup/PATH/cgroup.procs', 'kstack -DZ -f long', ...CGROUPS],
    'kernel/cgroup/cgroup.c: cgroup_drain_dying',
  ),
  blocked(
    'cgroup-threadgroup',
    [
      'cgroup_threadgroup_change_begin|cgroup_attach_lock|cgroup_procs_write_start|cgroup_post_fork|cgroup_can_fork|cgroup_attach_task_all|cgroup_procs_write_finish|__cgroup_procs_write|cgroup_update_dfl_csses|attach_task_by_pid',
    ],
    'forks and exits to pause, in order to move tasks between cgroups (or such a move to end)',
    'A move that waits for an RCU grace period, or for a task stuck in fork or exit.',
    CGROUPS,
    'kernel/cgroup/cgroup.c: cgroup_attach_lock',
    INNERMOST,
  ),
  blocked(
    'cgroup-threadgroup-wait',
    [
      'percpu_rwsem_wait|__percpu_down_read|percpu_down_read',
      'copy_process|_do_fork|exit_signals|do_exit|begin_new_exec|flush_old_exec|de_thread|cgroup_threadgroup_change_begin|threadgroup_change_begin|cgroup_can_fork',
    ],
    'a move of tasks between cgroups to end, in order to fork, exec or exit',
    'A write to cgroup.procs that waits for an RCU grace period, or for a task that is stuck in fork or exit.',
    CGROUPS,
    'kernel/cgroup/cgroup.c: cgroup_attach_lock',
    INNERMOST,
  ),
  blocked(
    'cpuset-lock',
    [
      'cpuset_lock|cpuset_write_resmask|cpuset_hotplug_workfn|cpuset_css_online|cpuset_attach|cpuset_can_attach|cpuset_cpus_allowed|rebuild_sched_domains|cpuset_css_offline|cpuset_wait_for_hotplug|cpuset_full_lock|cpuset_css_killed|cpuset_handle_hotplug|cpuset_partition_write',
    ],
    'the lock of cpusets',
    'CPU or memory placement of a cgroup is being changed; page migration that takes long.',
    CGROUPS,
    'kernel/cgroup/cpuset.c: cpuset_write_resmask',
    INNERMOST,
  ),
  blocked(
    'cpuset-migrate',
    ['cpuset_post_attach|cpuset_migrate_mm_workfn|cpuset_migrate_mm|cpuset_change_task_nodemask'],
    'memory of a process to be moved to the nodes of its new cpuset',
    'A large process with memory_migrate set; pages that are pinned or under I/O.',
    [...CGROUPS, 'grep migrate /proc/vmstat'],
    'kernel/cgroup/cpuset.c: cpuset_post_attach',
    INNERMOST,
  ),
  blocked(
    'cgroup-drain',
    [
      'cgroup_rstat_flush|cgroup_rstat_flush_hold|mem_cgroup_flush_stats|cgroup_rstat_flush_locked|css_rstat_flush|cgroup_base_stat_cputime_show|mem_cgroup_flush_stats_ratelimited|__mem_cgroup_flush_stats',
    ],
    'statistics of cgroups to be summed up',
    'Very many cgroups, and programs that read their statistics often.',
    ['grep -E "memory|num" /proc/cgroups', ...CGROUPS],
    'kernel/cgroup/rstat.c: css_rstat_flush',
  ),
  blocked(
    'namespace-net-create',
    ['copy_net_ns|setup_net|net_ns_init'],
    'the lock to make a network namespace',
    'Another network namespace is being made or torn down: containers that start and stop in numbers.',
    ['lsns -t net', ...OTHERS_BLOCKED],
    'net/core/net_namespace.c: copy_net_ns',
    INNERMOST,
  ),
  blocked(
    'namespace-net-teardown',
    ['cleanup_net|ops_exit_list|default_device_exit_batch|ops_undo_list|ops_exit_rtnl_list'],
    'network namespaces to be torn down',
    'A reference to a device that is not given back, or RCU and rtnl that are slow.',
    ['lsns -t net', ...LOG],
    'net/core/net_namespace.c: cleanup_net',
  ),
  blocked(
    'namespace-pid',
    ['zap_pid_ns_processes'],
    'all processes of its PID namespace to end: the init of a container has ended',
    'A process of the container that is stuck in D, or is traced.',
    ['kstack -p PID -f long', ...OTHERS_BLOCKED],
    'kernel/pid_namespace.c: zap_pid_ns_processes',
  ),
  blocked(
    'namespace-pid-children',
    ['do_wait|__do_wait|kernel_wait4', 'zap_pid_ns_processes'],
    'killed processes of its PID namespace to end: the init of a container has ended',
    'A process of the container that is stuck in D, or is traced.',
    ['kstack -p PID -f long', ...OTHERS_BLOCKED],
    'kernel/pid_namespace.c: zap_pid_ns_processes',
  ),
  blocked(
    'namespace-create',
    [
      'create_new_namespaces|unshare_nsproxy_namespaces|copy_namespaces|ksys_unshare|copy_ipcs|sys_setns|create_ipc_ns|free_ipc_ns|copy_utsname|copy_pid_ns|switch_task_namespaces|free_ipc',
    ],
    'a namespace to be made or entered',
    'Containers that start in numbers; an old namespace that is still being torn down.',
    ['lsns', ...OTHERS_BLOCKED],
    'kernel/nsproxy.c: create_new_namespaces',
    INNERMOST,
  ),
  blocked(
    'rtnl',
    [
      'rtnl_lock|rtnl_lock_killable|rtnetlink_rcv_msg|rtnl_dumpit|dev_ioctl|inet_rtm_newaddr|devinet_ioctl|rtnl_newlink|linkwatch_event|addrconf_verify_work|addrconf_dad_work|rtnl_net_lock|rtnl_getlink|ipv6_sock_mc_join|ipv6_sock_mc_drop|ip_mc_join_group|ipv6_mc_config|mld_dad_work|rtnl_setlink|sock_set_timeout|register_netdev|unregister_netdev|addrconf_ioctl|reg_check_chans_work|reg_todo|wext_handle_ioctl|rtnl_dump_all|packet_notifier|switchdev_deferred_process_work|dev_get_by_name_rcu|inet6_rtm_newaddr|vlan_ioctl_handler|netdev_run_todo_locked|register_netdevice_notifier|unregister_netdevice_notifier|br_ioctl_stub|bond_mii_monitor|rtnl_dellink|do_setlink|ethtool_set|sock_ioctl',
    ],
    'the lock of the network configuration (rtnl)',
    'Another task configures the network and is slow: a driver reset, firmware, a bond or bridge change, a namespace being torn down.',
    RTNL,
    'net/core/rtnetlink.c: rtnl_lock',
    INNERMOST,
  ),
  blocked(
    'rtnl-dump',
    ['__netlink_dump_start|netlink_dump|netlink_dump_start', 'rtnetlink_rcv_msg|netlink_recvmsg'],
    'the lock of the network configuration (rtnl), in order to list interfaces, addresses or routes',
    'Another task configures the network and is slow: a driver reset, firmware, a namespace being torn down.',
    RTNL,
    'net/netlink/af_netlink.c: __netlink_dump_start',
    INNERMOST,
  ),
  blocked(
    'net-device-refs',
    ['netdev_wait_allrefs|netdev_wait_allrefs_any|netdev_run_todo'],
    'references to a network device that is being removed',
    'A leak of references: "waiting for NAME to become free" in the log.',
    [...LOG, 'ip link'],
    'net/core/dev.c: netdev_wait_allrefs_any',
  ),
  blocked(
    'net-device-unregister',
    [
      'unregister_netdevice_many|rollback_registered_many|unregister_netdevice_many_notify|unregister_netdevice_queue|napi_disable|__dev_close_many|dev_close_many|dev_deactivate_many|napi_disable_locked|dev_close',
    ],
    'a network device to become quiet, in order to close or remove it',
    'Packets or polling in progress that do not end: a driver or its firmware.',
    [...LOG, 'ip -s link', 'cat /proc/interrupts'],
    'net/core/dev.c: napi_disable',
  ),
  blocked(
    'genetlink',
    [
      'genl_lock|genl_rcv|genl_rcv_msg|nfnetlink_rcv_batch|nfnl_lock|nft_netlink_dump|nfnetlink_rcv_msg|nf_tables_commit|nf_tables_valid_genid|nft_rcv_nl_event|nl80211_pre_doit|genl_lock_dumpit|genl_family_rcv_msg_doit|devlink_nl_pre_doit|devl_lock|nf_tables_abort|xt_find_table_lock|xt_find_match|do_ip_setsockopt|nf_setsockopt|nf_register_net_hook|nf_unregister_net_hook|__nf_register_net_hook|xt_table_unlock|ipt_do_get_ctl|nf_sockopt_find|conntrack_cleanup|nf_ct_iterate_cleanup|nf_conntrack_cleanup_net_list|nf_ct_iterate_cleanup_net',
    ],
    'a lock of generic netlink, netfilter or wireless configuration',
    'Another task configures the firewall, wireless or a device, and is slow.',
    ['nft list ruleset | wc -l', ...OTHERS_BLOCKED],
    'net/netlink/genetlink.c: genl_rcv',
    INNERMOST,
  ),
];
