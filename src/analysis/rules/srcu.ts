import { DM, DM_STUCK, LOG, OTHERS_BLOCKED } from './commands.ts';
import type { Rule } from './rule.ts';

const STALLS = ['dmesg | grep -i "rcu.*stall"', 'kstack -R -L -f long', 'mpstat -P ALL 1'];

/** What waits for the readers of an SRCU domain. */
export const SRCU = [
  'synchronize_srcu',
  '__synchronize_srcu',
  'synchronize_srcu_expedited',
  'srcu_barrier',
  'cleanup_srcu_struct',
  '__cleanup_srcu_struct',
  'cleanup_srcu_struct_quiesced',
];

/** Which domain of SRCU it is, by the function that waits. */
export const SRCU_DOMAINS: readonly Rule[] = [
  {
    id: 'srcu-fsnotify',
    kind: 'blocked',
    match: [
      SRCU,
      [
        'fsnotify_mark_destroy_workfn',
        'fsnotify_mark_destroy',
        'fsnotify_connector_destroy_workfn',
        'fsnotify_mark_destroy_list',
        'fsnotify_destroy_group',
        'fsnotify_put_mark_wake',
        'fsnotify_finish_user_wait',
        'fsnotify_free_mark_list',
      ],
    ],
    sleeps: ['rcu'],
    waitsFor: 'all readers of file watches (fsnotify_mark_srcu) to finish, in order to free watches that were removed',
    causes: 'A program that decides on file accesses (fanotify: antivirus, HSM) does not answer.',
    next: [
      'kstack -L --function "fanotify|fsnotify" -f long',
      'kstack -c "scan|falcon|mdatp|ds_agent" -f long',
      ...OTHERS_BLOCKED,
    ],
    source: 'fs/notify/mark.c: fsnotify_mark_destroy_workfn',
  },
  {
    id: 'srcu-dm',
    kind: 'blocked',
    match: [
      SRCU,
      ['__dm_suspend', 'dm_suspend', 'dm_sync_table', '__bind', '__unbind', 'dm_swap_table', '__dm_destroy'],
    ],
    module: ['dm_mod'],
    sleeps: ['rcu'],
    waitsFor:
      'all users of the table of a device-mapper device (io_barrier) to finish, in order to suspend it or change its table',
    causes:
      'I/O that is being submitted to the device waits: for memory, a tag of the disk below, or a suspended device.',
    stuck: DM_STUCK,
    next: [...DM, ...OTHERS_BLOCKED],
    source: 'drivers/md/dm.c: dm_sync_table',
  },
  {
    id: 'srcu-rcu-tasks',
    kind: 'blocked',
    match: [SRCU, ['rcu_tasks_postscan', 'rcu_tasks_wait_gp']],
    sleeps: ['rcu'],
    waitsFor: 'all exiting tasks to leave do_exit (tasks_rcu_exit_srcu), in order to end a grace period of RCU tasks',
    causes: 'A task hangs while it exits: look for a blocked task in do_exit.',
    next: ['kstack -L --function "do_exit|zap_pid_ns" -f long', ...OTHERS_BLOCKED],
    source: 'kernel/rcu/tasks.h: rcu_tasks_postscan',
  },
  {
    id: 'srcu-kvm',
    kind: 'blocked',
    match: [
      SRCU,
      [
        'install_new_memslots',
        'kvm_swap_active_memslots',
        'kvm_set_memslot',
        'kvm_activate_memslot',
        'kvm_invalidate_memslot',
        '__kvm_set_memory_region',
        'kvm_io_bus_register_dev',
        'kvm_io_bus_unregister_dev',
        'kvm_io_bus_destroy',
        'kvm_destroy_vm',
        'kvm_vm_ioctl_set_msr_filter',
        'kvm_vm_ioctl_set_pmu_event_filter',
        'kvm_page_track_unregister_notifier',
      ],
    ],
    sleeps: ['rcu'],
    waitsFor: 'all CPUs of a virtual machine to stop using its old memory map (kvm srcu)',
    causes: 'A virtual CPU is in the kernel for long, often in a page fault on a slow disk or server.',
    next: ['kstack -L -c qemu -f long', ...OTHERS_BLOCKED],
    source: 'virt/kvm/kvm_main.c: kvm_swap_active_memslots',
  },
  {
    id: 'srcu-kvm-interrupts',
    kind: 'blocked',
    match: [
      SRCU,
      [
        'kvm_set_irq_routing',
        'kvm_unregister_irq_ack_notifier',
        'irqfd_shutdown',
        'irqfd_resampler_shutdown',
        'kvm_irqfd_assign',
        'kvm_irqfd_release',
        'kvm_unregister_irq_mask_notifier',
      ],
    ],
    sleeps: ['rcu'],
    waitsFor: 'all senders of interrupts to a virtual machine to finish (kvm irq_srcu)',
    causes: 'A virtual CPU or device is in the kernel for long.',
    next: ['kstack -L -c qemu -f long', ...OTHERS_BLOCKED],
    source: 'virt/kvm/irqchip.c: kvm_set_irq_routing',
  },
  {
    id: 'srcu-tracepoints',
    kind: 'blocked',
    match: [
      SRCU,
      [
        'tracepoint_synchronize_unregister',
        'tracepoint_probe_unregister',
        'tracepoint_remove_func',
        'tp_rcu_cond_sync',
        'perf_trace_event_unreg',
        'perf_trace_destroy',
        'perf_trace_event_close',
        'trace_event_file_put',
        'bpf_raw_tp_link_release',
      ],
    ],
    sleeps: ['rcu'],
    waitsFor: 'all handlers of tracepoints to finish (tracepoint_srcu)',
    causes: 'A BPF program or other handler on a tracepoint runs for long, or a CPU is in a long loop.',
    next: STALLS,
    source: 'kernel/tracepoint.c: tracepoint_probe_unregister',
  },
  {
    id: 'srcu-debugfs',
    kind: 'blocked',
    match: [SRCU, ['debugfs_remove', 'debugfs_remove_recursive', '__debugfs_remove', '__debugfs_remove_file']],
    sleeps: ['rcu'],
    waitsFor: 'all readers of debugfs to finish (debugfs_srcu), in order to remove a file of debugfs',
    causes: 'A program reads a file of debugfs that never ends, or whose driver is stuck.',
    next: ['kstack -L --function debugfs -f long', ...OTHERS_BLOCKED],
    source: 'fs/debugfs/inode.c: debugfs_remove',
    kernels: '4.14 and older',
  },
  {
    id: 'srcu-shrinkers',
    kind: 'blocked',
    match: [SRCU, ['unregister_shrinker', 'synchronize_shrinkers', 'shrinker_free']],
    sleeps: ['rcu'],
    waitsFor: 'all running memory shrinkers to finish (shrinker_srcu), in order to remove one',
    causes: 'A shrinker waits for a disk, a server or a lock.',
    next: OTHERS_BLOCKED,
    source: 'mm/vmscan.c: unregister_shrinker',
    kernels: '6.4',
  },
  {
    id: 'srcu-notifier-chain',
    kind: 'blocked',
    match: [SRCU, ['srcu_notifier_chain_unregister', 'srcu_cleanup_notifier_head', 'cpufreq_unregister_notifier']],
    sleeps: ['rcu'],
    waitsFor: 'all callbacks of a notifier chain to finish, in order to remove one',
    causes: 'A callback on the chain does not return: a driver or its device.',
    next: [...OTHERS_BLOCKED, ...LOG],
    source: 'kernel/notifier.c: srcu_notifier_chain_unregister',
  },
  {
    id: 'srcu-device-links',
    kind: 'blocked',
    match: [
      SRCU,
      [
        'device_link_synchronize_removal',
        'device_link_release_fn',
        'device_link_wait_removal',
        'device_link_put_kref',
        '__device_link_del',
        'device_link_del',
        'device_link_remove',
        'device_links_driver_cleanup',
        'device_links_purge',
      ],
    ],
    sleeps: ['rcu'],
    waitsFor: 'all users of the links between devices to finish (device_links_srcu), in order to remove a link',
    causes: 'A device is slow to suspend or resume.',
    next: [...LOG, ...OTHERS_BLOCKED],
    source: 'drivers/base/core.c: device_link_release_fn',
    kernels: '5.2 and newer',
  },
  {
    id: 'srcu-memory-notifiers',
    kind: 'blocked',
    match: [
      SRCU,
      ['mmu_notifier_unregister', 'mmu_notifier_synchronize', '__mmu_notifier_release', 'mn_hlist_release'],
    ],
    sleeps: ['rcu'],
    waitsFor: 'all callbacks about shared memory (mmu_notifier srcu) to finish',
    causes: 'A GPU, RDMA or KVM driver does not let go of pages that are being unmapped.',
    next: [...LOG, ...OTHERS_BLOCKED],
    source: 'mm/mmu_notifier.c: mmu_notifier_unregister',
  },
];

/** More domains: what their readers use, the function that waits, and all such functions. */
const MORE_DOMAINS: readonly (readonly [id: string, readers: string, source: string, functions: string])[] = [
  [
    'srcu-consoles',
    'users of the list of consoles (console_srcu)',
    'kernel/printk/printk.c: unregister_console_locked',
    'unregister_console_locked unregister_console suspend_console resume_console console_suspend_all ' +
      'console_resume_all console_stop console_start console_suspend console_resume console_force_preferred_locked',
  ],
  [
    'srcu-drm-unplug',
    'users of a graphics device that is unplugged (drm_unplug_srcu)',
    'drivers/gpu/drm/drm_drv.c: drm_dev_unplug',
    'drm_dev_unplug drm_dev_synchronize_unplug',
  ],
  ['srcu-dax', 'users of a DAX device that is removed (dax_srcu)', 'drivers/dax/super.c: kill_dax', 'kill_dax'],
  [
    'srcu-ipmi',
    'users of interfaces to the management controller (IPMI)',
    'drivers/char/ipmi/ipmi_msghandler.c: ipmi_unregister_smi',
    'ipmi_unregister_smi _ipmi_destroy_user ipmi_destroy_user ipmi_add_smi',
  ],
  [
    'srcu-gpio',
    'users of GPIO chips',
    'drivers/gpio/gpiolib.c: gpiochip_remove',
    'gpiochip_remove gpiodev_release gpiodev_add_to_list_unlocked gpiochip_add_data_with_key',
  ],
  [
    'srcu-wakeup-sources',
    'users of the list of wakeup sources (wakeup_srcu)',
    'drivers/base/power/wakeup.c: wakeup_source_remove',
    'wakeup_source_remove wakeup_source_unregister',
  ],
  [
    'srcu-gpu-compute',
    'users of GPU compute processes (kfd_processes_srcu)',
    'drivers/gpu/drm/amd/amdkfd/kfd_process.c: kfd_process_notifier_release_internal',
    'kfd_process_notifier_release_internal kfd_process_notifier_release kfd_cleanup_processes',
  ],
  [
    'srcu-rdma-programs',
    'calls of programs into an RDMA driver that is removed (disassociate_srcu)',
    'drivers/infiniband/core/uverbs_main.c: ib_uverbs_remove_one',
    'uverbs_disassociate_api_pre ib_uverbs_remove_one',
  ],
];

/** The readers of these domains wait for nothing but the device or task that holds them up. */
export const MORE_SRCU_DOMAINS: readonly Rule[] = MORE_DOMAINS.map(([id, readers, source, functions]) => ({
  id,
  kind: 'blocked',
  match: [SRCU, functions.split(' ')],
  sleeps: ['rcu'],
  waitsFor: `all ${readers} to finish`,
  causes: 'One of them is slow or stuck: look for a blocked or running task in the same subsystem.',
  next: [...OTHERS_BLOCKED, ...LOG, 'kstack -R -L -f long'],
  source,
}));
