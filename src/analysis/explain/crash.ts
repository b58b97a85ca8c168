import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { wholeName } from './pattern.ts';

const PANIC = /^(?:v?panic|nmi_panic|wait_for_panic)$/;
/** What the kernel runs when it crashes: it prints a report, and starts the crash kernel. */
const CRASH = wholeName([
  /(?:__)?crash_kexec/,
  'machine_kexec',
  'relocate_kernel',
  'crash_setup_regs',
  'oops_end',
  'oops_exit',
  'oops_begin',
  /(?:__)?die(?:_body|_addr|_if_kernel)?/,
  'no_context',
  'page_fault_oops',
  'die_kernel_fault',
  'die_from_spinlock',
  'emergency_restart',
  'bust_spinlocks',
  'kernelmode_fixup_or_oops',
]);
/** What prints a report on a task that goes on after it. */
const REPORT = wholeName([
  /(?:__)?dump_stack(?:_lvl)?|show_(?:stack|trace)\w*|dump_trace|walk_stackframe|dump_backtrace/,
  /warn_alloc(?:_failed)?|(?:__)?warn(?:_slowpath_\w+)?|report_bug/,
  /print_(?:report|address_description|circular_bug\w*|unlock_im?balance_bug|bad_irq_dependency)|_*kasan_(?:report|object_err|kmalloc)\w*/,
  /ubsan_epilogue|__ubsan_\w+|_*asan_report_\w+|kmsan_report|kfence_report\w*|check_memory_region|__asan_\w+/,
  '__might_resched',
  '__might_sleep',
  '___might_sleep',
]);
/** From the exception to the function that caused it. */
const EXCEPTION = wholeName([
  /(?:asm_)?exc_\w+|do_error_trap|do_trap(?:_no_signal)?|handle_(?:bug|invalid_op)|fixup_bug/,
  /(?:do_)?(?:invalid_op|general_protection|divide_error|invalid_TSS|double_fault|int3|machine_check)/,
  /(?:do_)?(?:stack_segment|segment_not_present|overflow|bounds|alignment_check|coprocessor_error|debug|nmi)/,
  /(?:async_|__do_|do_)?page_fault|do_(?:user_addr|kern_addr)_fault|(?:__)?bad_area\w*|error_(?:code|exit|entry|sti)/,
  /do_(?:mem_abort|translation_fault|bad_area|DataAbort|PrefetchAbort|undefinstr|debug_exception)|__do_kernel_fault/,
  /el1h?_(?:64_sync(?:_handler)?|sync(?:_handler)?|abort|undef|da|dbg)|(?:arm_notify_)?die|__(?:dabt|und|pabt)_svc\w*/,
  /df_debug|handle_stack_overflow|doublefault_\w+|(?:bug|brk|undef)_handler|do_el1_\w+|call_\w*_hook|notify_die/,
  /bad_page_fault|handle_page_fault|data_access_(?:common|exception)\w*|program_check_\w+|_exception\w*/,
  /do_bad(?:_area)?|handle_exception|do_trap_\w+|pgm_check_\w+|__do_pgm_check|do_dat_exception/,
]);

/** Why the kernel panics on purpose, by the function that has it do so. */
const REASONS: readonly (readonly [reason: string, names: RegExp])[] = [
  ['as this CPU was stuck (soft lockup)', wholeName([/watchdog_timer_fn|softlockup_\w+/])],
  [
    'as a CPU was stuck (hard lockup)',
    wholeName([/watchdog_(?:overflow_callback|hardlockup_check)|soft_nmi_interrupt/]),
  ],
  ['as a task was blocked for too long (hung task)', wholeName([/watchdog|check_hung_\w+|hung_task_\w+/])],
  ['as an RCU grace period did not end', wholeName([/panic_on_rcu_stall|(?:print|check)_(?:other_)?cpu_stall\w*/])],
  ['as no memory was left (OOM)', wholeName([/out_of_memory|check_panic_on_oom|oom_kill_process/])],
  ['as SysRq asked it to', wholeName([/sysrq_handle_crash|__handle_sysrq/])],
];

export interface Crash {
  readonly waitsFor: string;
  readonly frame: Frame;
}

/** What a task does that is crashing the host, or prints a report; undefined for all others. */
export function crashOf(frames: readonly Frame[]): Crash | undefined {
  const named = frames.map((frame) => ({ frame, name: functionName(frame.symbol) }));
  const isCrash = (name: string) => PANIC.test(name) || CRASH.test(name);
  const first = named[0];
  if (first === undefined || !(isCrash(first.name) || REPORT.test(first.name))) return undefined;
  let at = 0;
  let panicked = false;
  let crashed = false;
  for (; at < named.length; at++) {
    const { name } = named[at] ?? first;
    if (PANIC.test(name)) panicked = true;
    else if (CRASH.test(name)) crashed = true;
    else if (!REPORT.test(name) && !EXCEPTION.test(name)) break;
  }
  const place = named[at];
  const did = panicked ? 'the kernel panicked' : crashed ? 'the kernel crashed' : 'it prints a report';
  const reason = panicked ? REASONS.find(([, names]) => names.test(place?.name ?? ''))?.[0] : undefined;
  if (reason !== undefined) return { waitsFor: `nothing: ${did}, ${reason}`, frame: place?.frame ?? first.frame };
  const where = place === undefined ? '' : ` in ${place.name}`;
  return { waitsFor: `nothing: ${did}${where}`, frame: place?.frame ?? first.frame };
}
