import { kernelEventKind } from '../../sources/kernel-event.ts';

/**
 * Lines of the kernel log, without their stamps, that tell of tasks, stacks and locks, and are of a form that is known:
 * of what else the kernel prints, nobody knows what it quotes.
 */
const KNOWN = [
  // Stacks (arch/x86/kernel/dumpstack.c, kernel/stacktrace.c) and what is around them
  /^\s*(?:\[<[\da-f]{1,16}>\] )?(?:\? )?[\w.$]{1,128}\+0x[\da-f]{1,8}\/0x[\da-f]{1,8}(?: \[[\w -]{1,80}\])?$/,
  /^\s*<\/?(?:TASK|IRQ|NMI|SOFTIRQ|EOI|EOE|#?[A-Z]{2,4})>$/,
  /^(?:Call Trace|Call trace|Backtrace):\s*$/,
  /^(?:RIP: \d{4}:|(?:pc|lr) : )[\w.$]{1,128}\+0x[\da-f]{1,8}\/0x[\da-f]{1,8}(?: \[[\w -]{1,80}\])?$/,
  // lib/dump_stack.c, dump_stack_print_info()
  /^CPU: \d{1,5} (?:UID: \d{1,10} )?PID: \d{1,10} Comm: .{1,64} (?:Kdump: loaded )?(?:Not tainted|Tainted: [A-Z_ =[\],]{1,80}) \S{1,80} #\S{1,20}.{0,80}$/,
  /^\s*(?:Not tainted|Tainted: [A-Z_ =[\],]{1,80}) \S{1,80} #\S{1,20}.{0,80}$/,
  /^Workqueue: [\w:./-]{1,40} [\w.]{1,80}(?: \[\w{1,64}\])?(?: \([\w:.-]{1,32}\))?$/,
  // kernel/sched/core.c, sched_show_task()
  /^task:.{1,64}\s+state:[A-Z]\s[\s\w:.-]{1,160}$/,
  // kernel/hung_task.c, kernel/locking/lockdep.c
  /^INFO: task .{1,64}:\d{1,10} (?:<.{0,20}> )?is blocked on an? [\w-]{1,20}(?: (?:likely )?owned by task .{1,64}:\d{1,10}(?: <.{0,20}>)?)?\.?$/,
  /^Showing all locks held in the system:$/,
  /^\d{1,4} locks? held by .{1,64}\/\d{1,10}:$/,
  /^ #\d{1,3}: [\da-f]{8,16} \(.{1,120}\)\{[^}]{1,12}\}-\{[\d:]{1,8}\}, at: [\w.]{1,128}\+0x[\da-f]{1,8}\/0x[\da-f]{1,8}$/,
  /^=+$/,
  // lib/nmi_backtrace.c, kernel/rcu/tree_stall.h, drivers/tty/sysrq.c
  /^(?:NMI backtrace for cpu \d{1,5}|Sending NMI from CPU \d{1,5} to CPUs [\d,-]{1,200}:)$/,
  /^rcu: (?:INFO: )?[\w\s().,:;!?=>*+\-/#]{1,200}$/,
  /^sysrq: (?:Show [\w ]{1,40}|HELP : .{1,500})$/,
  // init/version.c
  /^Linux version [\w.+~-]{1,80} \(/,
];

const LONGEST = 1000;

/** Whether a line has such a form. */
export function isKnownLine(line: string): boolean {
  const text = line.length > LONGEST ? line.slice(0, LONGEST) : line;
  return kernelEventKind(text) !== undefined || KNOWN.some((form) => form.test(text));
}
