import type { Frame } from '../../model/stack.ts';

/** An expression that matches a whole name by any of these. PowerPC put a dot before names. */
function anyOf(...names: readonly string[]): RegExp {
  return new RegExp(`^\\.?(?:${names.join('|')})$`);
}

/** Outermost functions. If nothing else separates two stacks, the next one starts after such a function. */
const OUTERMOST = anyOf(
  // All: the first function of a task
  '(?:__)?ret_from_fork(?:_\\w+)?',
  'ret_from_kernel_(?:user_)?thread(?:_asm)?',
  'kernel_thread_(?:helper|starter)',
  'start_kernel_thread',
  'child_rip',
  'rewind_stack_(?:and_make_dead|do_exit)',
  // All: the first function of a CPU
  '(?:secondary|common)_startup_64(?:_no_verify)?',
  '__(?:primary|secondary)_switched',
  'start_here_common',
  'start_secondary_prolog',
  // x86
  'entry_(?:SYSCALL|SYSENTER|INT80)_\\w+',
  'entry_SYSCALL_64',
  'system_call(?:_fastpath|_after_swapgs|_fast_compare_end|_done)?',
  '(?:ia32_)?(?:sysenter|cstar)_\\w+',
  'ia32_syscall',
  'sysenter_past_esp',
  'syscall_call(?:_\\w+)?',
  'tracesys(?:_phase2)?',
  'int_ret_from_sys_call',
  'stub_(?:clone|fork|vfork|execve)',
  // arm64, where the handler comes before it
  'el0t_(?:64|32)_(?:sync|irq|fiq|error)(?:_handler)?',
  'el0_(?:sync|irq|svc)(?:_handler|_naked|_compat\\w*)?',
  // arm
  'ret_(?:fast|slow)_syscall',
  '__sys_trace_return',
  // PowerPC
  'system_call_(?:common|vectored_common)\\w*',
  'syscall_exit(?:_cont\\w*|_finish)?',
  'ret_from_syscall(?:_\\w+)?',
  // LoongArch and MIPS
  'handle_sys(?:call|64|n32|o32|_wrap)?',
  'syscall_common',
  // s390
  'sysc_(?:nr_ok|noemu|tracego|do_svc|return)',
  // SPARC, parisc, alpha, ia64, ARC
  'linux_s(?:parc|yscall)\\w*',
  'ia64_(?:ret_from|trace)_syscall',
  'entSys',
  'EV_Trap',
  'ret_from_system_call',
  '0xf{8,16}',
);

/** Functions of the entry into the kernel or of the start of a thread: no stack has only these. */
const ENTRY = anyOf(
  'entry_\\w+',
  '(?:ret_from|do_syscall|do_fast_syscall|do_int80)_\\w+',
  '(?:syscall_)?exit_to_user_mode\\w*',
  'x64_sys_call',
  'ia32_sys_call',
  'kthread',
  'invoke_syscall',
  '(?:do_)?el0_svc\\w*(?:\\.\\w+)*',
  'el0t_\\w+',
  'system_call_exception',
  'do_trap_ecall_u',
);

/** Whether this function says nothing of what the task does, only how it came there. */
export function isEntry({ symbol }: Frame): boolean {
  return OUTERMOST.test(symbol) || ENTRY.test(symbol);
}

/** On RISC-V the entry of system calls is that of interrupts and faults, too: what called it tells. */
const SHARED_ENTRY = anyOf('handle_exception', 'ret_from_exception', '_save_context');
const SYSTEM_CALL = anyOf(
  'do_trap_ecall_u',
  'syscall_handler',
  'check_syscall_nr',
  '(?:__riscv_|__se_|__do_)?(?:compat_)?sys_\\w+',
);

/** Whether this function is the outermost of a stack. */
export function isOutermost(symbol: string, callee: Frame | undefined): boolean {
  return (
    OUTERMOST.test(symbol) || (SHARED_ENTRY.test(symbol) && callee !== undefined && SYSTEM_CALL.test(callee.symbol))
  );
}

/**
 * Where the kernel enters an interrupt or an NMI. What is further in belongs to that. Faults are not among them: a task
 * waits in them.
 */
const INTERRUPT_ENTRY = anyOf(
  // x86
  'asm_sysvec_\\w+',
  'asm_common_interrupt',
  'common_interrupt',
  'ret_from_intr',
  'retint_kernel',
  '(?:apic_timer|reschedule|call_function(?:_single)?|irq_work|threshold|thermal|deferred_error)_interrupt',
  '(?:xen_hvm|hyperv)_callback_vector',
  'xen_do_(?:hypervisor|upcall)\\w*',
  '(?:end_)?repeat_nmi',
  'asm_exc_nmi\\w*',
  'nmi(?:_stack_correct|_restore)?',
  // arm64, also pseudo-NMIs
  'el1_(?:irq|fiq)',
  'el1[ht]_64_(?:irq|fiq)',
  // arm
  '__(?:irq|fiq)_svc',
  // PowerPC
  '(?:decrementer|hardware_interrupt|h_virt_irq|doorbell_super|h_doorbell|performance_monitor|system_reset)' +
    '_common(?:_virt)?',
  // s390
  '(?:ext|io|mcck)_int_handler',
  // MIPS and LoongArch
  '(?:rollback_)?handle_int',
  '(?:skip_)?except_vec_vi_\\w+',
  'handle_vint',
  // SPARC
  'tl[01]_irq\\w*',
  'rt_sun4v\\w*',
  // RISC-V: the entry that follows is shared with faults
  'do_irq',
);

/** Frames further out that belong to the entry into an interrupt. */
const OF_ENTRY = anyOf('handle_exception', 'ret_from_exception', 'asm_call_irq_on_stack', 'handle_riscv_irq');

/** The number of frames, from the innermost, that belong to interrupts; 0 if no interrupted function follows. */
export function interruptFrames(frames: readonly Frame[]): number {
  const at = frames.findLastIndex(({ symbol }) => INTERRUPT_ENTRY.test(symbol));
  if (at === -1) return 0;
  let count = at + 1;
  for (let next = frames[count]; next !== undefined && OF_ENTRY.test(next.symbol); next = frames[count]) count++;
  return count < frames.length ? count : 0;
}

/** Functions that print a stack. At the inner end they say how the stack came into the log, not what the task does. */
const REPORT = anyOf(
  '_{0,2}dump_stack\\w*',
  'dump_(?:stack|backtrace|trace|cpu_task)\\w*',
  'c_backtrace',
  'unwind_backtrace',
  'show_(?:stack|trace|regs|state_filter|backtrace|workqueue)\\w*',
  'show_trace_log_lvl',
  'sched_show_task',
  'os_dump_stack',
  'arch_(?:stack_walk|trigger_\\w+)',
  'save_stack_trace\\w*',
  'stack_trace_save\\w*',
  '(?:arch_)?(?:nmi|cpu)_(?:cpu_)?backtrace\\w*',
  'nmi_(?:cpu_backtrace|trigger)\\w*(?:\\.\\w+)*',
  'trigger_(?:all|single|allbutself)_cpu_backtrace\\w*',
  'rcu_(?:dump_cpu_stacks|check_gp_kthread\\w*)',
  'watchdog_\\w+',
  '(?:__)?kg?db_\\w+',
  '__warn(?:_printk)?',
  'warn_slowpath_\\w+',
  '(?:__)?report_bug',
  'handle_bug',
  '(?:asm_)?exc_invalid_op',
  '(?:do_)?invalid_op',
  // Sanitizers, and the killer for want of memory
  'print_(?:report|address_description|error_description)\\w*',
  '(?:end|start)_report',
  '_{0,2}k[am]san_\\w+',
  '__[am]san_\\w+',
  'check_memory_region\\w*',
  '(?:__)?ubsan_\\w+',
  'dump_header',
);

export const CLONE = /\.(?:isra|cold|part|constprop)\b.*$/;

/** The number of frames at the inner end that only print the stack. */
export function reportFrames(frames: readonly Frame[]): number {
  const count = frames.findIndex(({ symbol }) => !REPORT.test(symbol.replace(CLONE, '')));
  return count === -1 ? 0 : count;
}

/** A task prints these stacks of its own, where it runs. */
const OF_ITSELF = anyOf(
  '_{0,2}dump_stack\\w*',
  'dump_backtrace\\w*',
  '(?:c|unwind)_backtrace',
  'show_regs',
  '__warn(?:_printk)?',
  'warn_slowpath_\\w+',
  '(?:__)?report_bug',
  'handle_bug',
  '(?:asm_)?exc_invalid_op',
  '(?:do_)?invalid_op',
  '__die(?:_body)?',
  'die_addr',
  'page_fault_oops',
  'dump_header',
);

/** Whether this function is on the stack of a task that reports itself. */
export function isOwnReport({ symbol }: Frame): boolean {
  return OF_ITSELF.test(symbol.replace(CLONE, ''));
}

/** A task that runs has none of these as its innermost function. */
const SCHEDULER = anyOf(
  '__schedule(?!_bug)\\w*',
  'schedule\\w*',
  'io_schedule\\w*',
  'preempt_schedule\\w*',
  'context_switch',
  '__switch_to\\w*',
  'finish_task_switch\\w*',
  '__cond_resched\\w*',
  'rt_mutex_schedule',
  '__schedule_loop',
  'schedule_preempt_disabled',
);

export function isScheduler({ symbol }: Frame): boolean {
  return SCHEDULER.test(symbol.replace(/\.(?:isra|constprop)\b.*$/, ''));
}

/**
 * Functions that nearly every stack has one of. Two of them show that names without anything else are a stack, if the
 * caller knows no more names.
 */
const WELL_KNOWN = anyOf(
  'kthread',
  'worker_thread',
  'process_one_work',
  'do_syscall_\\w+',
  'x64_sys_call',
  'invoke_syscall',
  '(?:__x64_|__arm64_|__ia32_|__do_|__se_|ksys_|SyS_|SYSC_|compat_)\\w+',
  'sys_\\w+',
  'vfs_\\w+',
  '__vfs_\\w+',
  '(?:__)?wait_on_\\w+',
  '(?:mutex|down|rwsem|rt_mutex)_\\w+',
  '__mutex_\\w+',
  'wait_for_completion\\w*',
  '(?:ret_from|entry|el0|asm)_\\w+',
  '(?:do|exc)_page_fault',
  '(?:submit|do)_(?:bio|exit|wait|poll|sys_poll|select)\\w*',
  'poll_schedule_timeout\\w*',
  'ep_poll',
  'futex_\\w+',
  'handle_mm_fault',
  'page_fault',
  'smpboot_thread_fn',
  'do_idle',
  'cpu_startup_entry',
);

export function isWellKnown(symbol: string): boolean {
  return WELL_KNOWN.test(symbol) || SCHEDULER.test(symbol) || OUTERMOST.test(symbol) || INTERRUPT_ENTRY.test(symbol);
}

/**
 * Not a caller: a pointer to the start or end of a function, or one of the functions that going to sleep leaves on
 * every stack.
 */
export function isLeftOver({ symbol, offset, size }: Frame): boolean {
  return offset === 0 || (offset !== undefined && offset === size) || LEFT_OVER.test(symbol);
}

const LEFT_OVER = new RegExp(
  `^(?:${[
    'prepare_to_\\w+',
    'finish_wait',
    'autoremove_wake_function',
    'default_wake_function',
    '(?:__)?wake_\\w+',
    'try_to_wake_up',
    'ttwu_\\w+',
    '(?:add|remove)_wait_queue\\w*',
    '__switch_to\\w*',
    'finish_task_switch',
    'pick_next_task\\w*',
    '(?:en|de)queue_\\w+',
    'update_\\w+',
    'select_task_rq\\w*',
    'task_rq_lock',
    'set_next_entity',
    'put_prev_\\w+',
    '(?:need|should)_resched',
    '_cond_resched',
    'ktime_get\\w*',
    'getrawmonotonic\\w*',
    'timekeeping_\\w+',
    'read_tsc',
    'native_\\w+',
    '(?:local_|kvm_|x2)?(?:sched_)?clock\\w*',
    'kvm_clock\\w*',
    'pvclock_\\w+',
    'xen_\\w+',
    'lock_timer_base',
    '(?:try_to_)?del_timer\\w*',
    'mod_timer',
    '_(?:raw_)?spin_\\w+',
    'load_TLS',
    'fcheck_files',
    'fget_light',
    '(?:__)?strncpy_from_user',
    'alloc_fd',
    'lock_release',
    'find_held_lock',
    'mark_held_locks',
    'print_(?:usage_bug|irqtrace_events)',
    'check_noncircular',
    'debug_check_no_locks_freed',
    'lock_acquire\\w*',
    'trace_hardirqs_\\w+',
    '__slab_\\w+',
    'k(?:mem_cache_)?(?:free|alloc)\\w*',
    'dput',
    'mntput\\w*',
  ].join('|')})(?:\\.\\w+)*$`,
);
