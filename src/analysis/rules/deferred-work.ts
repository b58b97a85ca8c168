import { LOG, OTHERS_BLOCKED } from './commands.ts';
import { blocked, INNERMOST, type Rule, running } from './rule.ts';

const CPUS = ['ps -eLo pid,tid,cls,rtprio,psr,stat,comm | grep -E "FF|RR"', 'mpstat -P ALL 1'];

/** RCU, workqueues, kernel threads, other CPUs. */
export const DEFERRED_WORK: readonly Rule[] = [
  blocked(
    'rcu-synchronize',
    [
      'synchronize_rcu|wait_rcu_exp_gp|sync_rcu_exp_select_cpus|synchronize_rcu_normal|__wait_rcu_gp|synchronize_rcu_expedited|synchronize_sched|wait_rcu_gp|synchronize_rcu_bh|synchronize_sched_expedited|rcu_exp_wait_wake|synchronize_rcu_expedited_wait|exp_funnel_lock|synchronize_net|cond_synchronize_rcu',
    ],
    'an RCU grace period: every CPU to leave its read sections',
    'Usual for milliseconds. Longer: a CPU in a long loop, a busy virtual machine, or an RCU stall.',
    ["dmesg | grep -i 'rcu.*stall'", ...CPUS],
    'kernel/rcu/tree.c: synchronize_rcu',
  ),
  blocked(
    'rcu-srcu',
    ['synchronize_srcu|__synchronize_srcu|synchronize_srcu_expedited|srcu_barrier|cleanup_srcu_struct|srcu_drive_gp'],
    'an SRCU grace period: every reader to end',
    'A reader that sleeps: a notifier, a virtual machine, a file watch.',
    OTHERS_BLOCKED,
    'kernel/rcu/srcutree.c: __synchronize_srcu',
  ),
  blocked(
    'rcu-barrier',
    ['rcu_barrier|_rcu_barrier|rcu_barrier_tasks|rcu_barrier_throttled|kvfree_rcu_barrier|rcu_barrier_tasks_trace'],
    'all RCU callbacks in line to run',
    'A long line of callbacks, or a CPU that does not get to run them.',
    CPUS,
    'kernel/rcu/tree.c: rcu_barrier',
  ),
  blocked(
    'rcu-tasks-wait',
    [
      'synchronize_rcu_tasks|synchronize_rcu_tasks_generic|synchronize_rcu_tasks_rude|synchronize_rcu_tasks_trace|rcu_tasks_wait_gp|rcu_spawn_tasks_kthread|rcu_tasks_trace_pertask|check_all_holdout_tasks|rcu_tasks_postscan',
    ],
    'every task to switch voluntarily (tracing, BPF or live patch)',
    'A task that runs in the kernel for long without scheduling.',
    CPUS,
    'kernel/rcu/tasks.h: rcu_tasks_wait_gp',
  ),
  blocked(
    'workqueue-flush',
    [
      '__flush_work|flush_work|__flush_workqueue|flush_workqueue|cancel_work_sync|__cancel_work_timer|__cancel_work_sync|cancel_delayed_work_sync|flush_delayed_work|__cancel_work|start_flush_work',
    ],
    'queued work to be finished by a kernel worker',
    'The work is stuck: look for a kworker that is blocked; or no CPU time is left for workers.',
    ['kstack -D -c kworker', ...OTHERS_BLOCKED, ...CPUS],
    'kernel/workqueue.c: __flush_work',
  ),
  blocked(
    'workqueue-drain',
    [
      'drain_workqueue|destroy_workqueue|workqueue_congested|apply_workqueue_attrs|wq_unbound_cpumask|workqueue_apply_unbound_cpumask|alloc_workqueue|apply_wqattrs_prepare|wq_pool_ids_show|wq_worker_comm|workqueue_init_unbound',
    ],
    'a workqueue to be emptied, changed or made',
    'Work on it that is stuck.',
    ['kstack -D -c kworker', ...OTHERS_BLOCKED],
    'kernel/workqueue.c: drain_workqueue',
  ),
  blocked(
    'workqueue-manage',
    ['create_worker|worker_attach_to_pool|worker_detach_from_pool|wq_worker_sleeping|worker_set_affinity'],
    'a new kernel worker to be made',
    'Memory is short, or kthreadd is stuck.',
    ['kstack -p 2', 'cat /proc/pressure/memory'],
    'kernel/workqueue.c: create_worker',
    INNERMOST,
  ),
  blocked(
    'kthread-create',
    ['__kthread_create_on_node|kthread_create_on_node|kthread_create_on_cpu'],
    'kthreadd to make a kernel thread',
    'kthreadd is stuck or memory is short.',
    ['kstack -p 2', 'cat /proc/pressure/memory'],
    'kernel/kthread.c: __kthread_create_on_node',
  ),
  blocked(
    'kthread-stop',
    [
      'kthread_stop|kthread_park|kthread_flush_worker|kthread_flush_work|kthread_cancel_delayed_work_sync|kthread_stop_put|kthread_destroy_worker',
    ],
    'a kernel thread to stop, park or finish its work',
    'That thread is stuck.',
    OTHERS_BLOCKED,
    'kernel/kthread.c: kthread_stop',
  ),
  blocked(
    'async-work',
    ['async_synchronize_cookie_domain|async_synchronize_full|async_synchronize_full_domain|async_synchronize_cookie'],
    'asynchronous probes of devices to end',
    'A device that is slow to probe or to resume.',
    LOG,
    'kernel/async.c: async_synchronize_cookie_domain',
  ),
  blocked(
    'stop-machine',
    [
      'stop_machine|stop_one_cpu|stop_cpus|__stop_cpus|try_stop_cpus|stop_machine_cpuslocked|stop_two_cpus|stop_machine_from_inactive_cpu',
    ],
    'the stopper thread of one or all CPUs',
    'A CPU that does not schedule: interrupts off for long, or a host that does not run it.',
    CPUS,
    'kernel/stop_machine.c: stop_cpus',
  ),
  running(
    'ipi',
    [
      'smp_call_function_many_cond|smp_call_function_single|smp_call_function_many|on_each_cpu_cond_mask|csd_lock_wait|generic_exec_single|flush_tlb_mm_range|native_flush_tlb_multi|native_flush_tlb_others|hyperv_flush_tlb_multi|kvm_flush_tlb_multi|arch_tlbbatch_flush',
    ],
    'other CPUs to answer an interrupt (TLB flush, membarrier): it spins',
    'A CPU with interrupts off for long, or a virtual CPU that the host does not run.',
    CPUS,
    'kernel/smp.c: smp_call_function_many_cond',
  ),
  blocked(
    'percpu-ref',
    [
      'percpu_ref_switch_to_atomic_sync|percpu_ref_switch_to_percpu|percpu_ref_switch_to_atomic|percpu_ref_kill_and_confirm|__percpu_ref_switch_mode',
    ],
    'a reference count to change its mode: every CPU has to take notice (an RCU grace period)',
    'Usual for milliseconds. Longer: a CPU in a long loop, or an earlier change that has not ended.',
    ["dmesg | grep -i 'rcu.*stall'", ...CPUS],
    'lib/percpu-refcount.c: percpu_ref_switch_to_atomic_sync',
    INNERMOST,
  ),
  blocked(
    'irq-sync',
    ['synchronize_irq|__synchronize_irq|synchronize_hardirq|free_irq|__free_irq|disable_irq'],
    'an interrupt handler to end',
    'A handler, or its thread, that does not return: a driver or its hardware.',
    [...LOG, 'cat /proc/interrupts'],
    'kernel/irq/manage.c: synchronize_irq',
  ),
  blocked(
    'cpu-hotplug',
    [
      'cpus_read_lock|cpus_write_lock|cpu_hotplug_begin|get_online_cpus|cpu_down|cpu_up|_cpu_down|_cpu_up|cpuhp_kick_ap|cpuhp_kick_ap_work|__cpuhp_setup_state|cpuhp_kick_ap_sync|do_cpu_down|do_cpu_up|cpu_device_down|cpu_device_up|cpuhp_invoke_ap_callback|lock_device_hotplug|lock_device_hotplug_sysfs|__cpuhp_remove_state|bringup_cpu|takedown_cpu',
    ],
    'a CPU to go online or offline, or the lock against that',
    'A CPU hotplug callback that is stuck, or a long reader of the lock.',
    [...LOG, 'lscpu -e', ...OTHERS_BLOCKED],
    'kernel/cpu.c: cpus_read_lock',
  ),
  blocked(
    'jump-label',
    [
      'jump_label_lock|static_key_slow_inc|static_key_enable|static_key_slow_dec|static_key_disable|arch_jump_label_transform_queue|text_poke_bp|static_key_enable_cpuslocked|__static_key_slow_dec_cpuslocked|arch_jump_label_transform|text_poke_bp_batch|smp_text_poke_batch_finish|static_call_update|__static_call_update',
    ],
    'kernel code to be patched (a static key)',
    'Tracing, perf or scheduler settings that are switched.',
    CPUS,
    'kernel/jump_label.c: jump_label_lock',
    INNERMOST,
  ),
];
