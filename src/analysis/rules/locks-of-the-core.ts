import { lockTable } from './lock-table.ts';
import type { Rule } from './rule.ts';

const CAUSES = 'Another task holds it and waits: for memory, for other CPUs, or for an RCU grace period.';

/** Locks of memory management, tracing and the core of the kernel, with the functions that take them. */
export const LOCKS_OF_THE_CORE: readonly Rule[] = [
  ...lockTable('mutex', CAUSES, [
    [
      'lock-of-slab-caches',
      'of the list of slab caches (slab_mutex)',
      'mm/slab_common.c',
      'slab_start slub_cpu_dead slab_mem_going_offline_callback slab_mem_offline_callback',
      'slab_mem_going_online_callback',
    ],
    [
      'lock-of-damon',
      'of a monitor of memory accesses (DAMON)',
      'mm/damon/core.c',
      'damon_is_running damon_kdamond_pid dbgfs_attrs_read dbgfs_attrs_write dbgfs_schemes_read',
    ],
    ['lock-of-swapon', 'of the list of swap devices (swapon_mutex)', 'mm/swapfile.c', 'swap_start'],
    [
      'lock-of-memory-failure',
      'for handling broken memory (mf_mutex)',
      'mm/memory-failure.c',
      'is_raw_hwpoison_page_in_hugepage',
    ],
    [
      'lock-of-workqueues',
      'of the pools of kernel workers (wq_pool_mutex)',
      'kernel/workqueue.c',
      'wq_affn_dfl_set __wq_cpumask_show workqueue_init init_cpu_worker_pool',
    ],
    [
      'lock-of-cpuhp-states',
      'of the callbacks of CPU hotplug (cpuhp_state_mutex)',
      'kernel/cpu.c',
      '__cpuhp_state_add_instance_cpuslocked fail_store',
    ],
    [
      'lock-of-module-list',
      'of the list of kernel modules (module_mutex)',
      'kernel/module/kallsyms.c',
      'module_kallsyms_on_each_symbol read_file_mod_stats del_usage_links add_usage_links',
    ],
    [
      'lock-of-kprobes',
      'of the kprobes (kprobe_mutex)',
      'kernel/kprobes.c',
      'kprobe_blacklist_seq_start optimize_all_kprobes arm_all_kprobes',
    ],
    [
      'lock-of-kernel-text',
      'for patching kernel code (text_mutex)',
      'arch/x86/kernel/alternative.c',
      'its_init_mod alternatives_smp_module_add alternatives_smp_module_del alternatives_enable_smp',
      'callthunks_patch_builtin_calls',
    ],
    [
      'lock-of-irq-domains',
      'of the interrupt domains (irq_domain_mutex)',
      'kernel/irq/irqdomain.c',
      'irq_domain_remove irq_domain_update_bus_token irq_find_matching_fwspec irq_domain_debugfs_init',
      '__irq_domain_publish',
    ],
    [
      'lock-of-irq-numbers',
      'of the table of interrupts (sparse_irq_lock)',
      'kernel/irq/irqdesc.c',
      'irq_lock_sparse irq_mark_irq irq_free_descs __irq_alloc_descs',
    ],
    [
      'lock-of-irq-domain',
      'of an interrupt domain',
      'kernel/irq/irqdomain.c',
      'irq_domain_associate irq_create_mapping_affinity irq_create_fwspec_mapping __irq_domain_alloc_irqs',
    ],
    ['lock-of-irq-msi', 'of the MSI interrupts of a device', 'kernel/irq/msi.c', 'msi_lock_descs'],
    [
      'lock-of-trace-events',
      'of trace events (event_mutex)',
      'kernel/trace/trace_dynevent.c',
      'dyn_event_release dyn_event_seq_start dyn_events_release_all put_system system_enable_read f_start',
      'event_filter_read event_filter_write',
    ],
    [
      'lock-of-trace-types',
      'of tracing (trace_types_lock)',
      'kernel/trace/trace.c',
      'init_trace_selftests register_tracer rb_simple_write trace_add_event_call trace_remove_event_call',
    ],
    [
      'lock-of-trace-functions',
      'of function tracing (ftrace_lock)',
      'kernel/trace/ftrace.c',
      'ftrace_check_work_func match_records ftrace_destroy_filter_files fpid_start fnpid_start',
    ],
    [
      'lock-of-trace-buffer',
      'of a ring buffer of tracing',
      'kernel/trace/ring_buffer.c',
      'ring_buffer_change_overwrite ring_buffer_read_start __rb_inc_dec_mapped',
    ],
  ]),
  ...lockTable('rwsem', CAUSES, [
    [
      'lock-of-host-name',
      'of the host name (uts_sem)',
      'kernel/sys.c',
      'sys_newuname sys_uname sys_olduname sys_sethostname sys_gethostname',
    ],
    [
      'lock-of-bpf-devices',
      'of BPF programs that are bound to a network device (bpf_devs_lock)',
      'kernel/bpf/offload.c',
      'bpf_prog_dev_bound_init bpf_prog_dev_bound_inherit bpf_prog_offload_verifier_prep',
      'bpf_prog_offload_verify_insn bpf_prog_offload_finalize bpf_prog_offload_replace_insn',
      'bpf_prog_offload_remove_insns bpf_prog_dev_bound_destroy',
    ],
    [
      'lock-of-keys',
      'of a key or keyring',
      'security/keys/dh.c',
      'dh_data_from_key key_set_timeout key_update keyctl_describe_key keyctl_chown_key',
      'keyctl_setperm_key keyctl_watch_key __key_move_lock',
    ],
    [
      'lock-of-crypto-algorithms',
      'of the list of cryptographic algorithms (crypto_alg_sem)',
      'crypto/algapi.c',
      'crypto_unregister_instance crypto_grab_spawn crypto_shoot_alg crypto_alg_match crypto_dump_report',
    ],
  ]),
];
