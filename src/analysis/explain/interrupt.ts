import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { innerEnd } from './inner-end.ts';
import { withoutLeaves } from './leaves.ts';
import { wholeName } from './pattern.ts';
import { inSoftirq } from './softirq.ts';

/** What a CPU runs in an interrupt. None of these is the outermost function of a task. */
const INTERRUPT = wholeName([
  /update_process_times|tick_(?:sched|periodic|nohz|do)_?\w*|tick_handle_periodic\w*|(?:__)?hrtimer_\w*(?:queues|interrupt)/,
  /__run_hrtimer|(?:local|smp)_apic_timer_interrupt|(?:__)?sysvec_\w+|arch_timer_handler_\w+|local_timer_interrupt/,
  /(?:generic_)?smp_call_function\w*interrupt|(?:__)?flush_smp_call_function_queue|scheduler_ipi|irq_work_run\w*/,
  /handle_irq_event\w*|__handle_irq_event_percpu|handle_(?:edge|fasteoi|level|percpu\w*)_irq|generic_handle_\w+/,
  /do_IRQ|(?:__)?common_interrupt|(?:__)?irq_exit\w*|handle_domain_irq|__handle_domain_irq|gic_handle_irq|handle_IRQ/,
  /rcu_(?:check_callbacks|sched_clock_irq|pending)|__rcu_pending|(?:print|check)_cpu_stall\w*|print_other_cpu_stall/,
]);
const ENTRY = wholeName([
  /asm_sysvec_\w+|asm_common_interrupt|ret_from_intr|(?:apic_timer|reschedule|call_function(?:_single)?|irq_work)_interrupt/,
  /el[01][ht]_64_irq(?:_handler)?|el[01]_irq|el[01]_interrupt|__irq_(?:svc|usr)|handle_int|hardware_interrupt_common\w*/,
]);
/** On its way back to a program, a task is preempted or gets signals. */
const TO_USER = wholeName([/\w*exit_to_user\w*|prepare_exit\w*|do_notify_resume|ret_to_user|(?:slow_)?work_pending/]);
/** What an interrupt leaves to be done, in it or right behind it. */
const SOFTIRQ = wholeName([/__do_softirq|do_softirq\w*|call_softirq|handle_softirqs|run_timer_softirq|net_rx_action/]);
/** The search for stalls, and the tick that makes it. */
const TICK = wholeName([
  /rcu_(?:check_callbacks|sched_clock_irq|pending)|__rcu_pending|(?:print|check)_cpu_stall\w*|print_other_cpu_stall/,
  /rcu_dump_cpu_stacks|update_process_times|tick_\w+|(?:__)?hrtimer_\w+|(?:local|smp)_apic_timer_interrupt/,
]);

/** The report that a CPU makes of others, in the timer interrupt. */
const REPORTS_OTHER = wholeName(['print_other_cpu_stall']);
const OF_OTHER = 'its CPU reports that another CPU or task holds up RCU (a stall), and this task is not the cause';

/**
 * What the CPU did in an interrupt, if the stack has nothing but that: a program was interrupted, or the stack is cut
 * off. Undefined for all other stacks.
 */
export function inInterrupt(frames: readonly Frame[]): { readonly doing: string; readonly frame: Frame } | undefined {
  const names = frames.map(({ symbol }) => functionName(symbol));
  const [outermost = ''] = names.slice(-1);
  const isSoft = SOFTIRQ.test(outermost);
  const [first] = frames;
  if (first === undefined || !(isSoft || INTERRUPT.test(outermost) || ENTRY.test(outermost))) return undefined;
  if (names.some((name) => TO_USER.test(name))) return undefined;
  const kind = isSoft ? 'a softirq' : 'an interrupt';
  const report = frames.find((_, at) => REPORTS_OTHER.test(names[at] ?? ''));
  if (report !== undefined) return { doing: OF_OTHER, frame: report };
  if (inSoftirq(frames) !== undefined) return undefined;
  const told = withoutLeaves(frames);
  const { depth, primitive } = innerEnd(told);
  const at = told.findIndex(({ symbol }, index) => index >= depth && !TICK.test(functionName(symbol)));
  const frame = told[at];
  if (frame === undefined) return { doing: 'its CPU was in the timer interrupt', frame: first };
  const name = functionName(frame.symbol);
  if (ENTRY.test(name)) return undefined;
  const doing = `its CPU handles ${kind}, in ${name}`;
  return { doing: primitive?.sleep === 'spin' ? `${doing}, which spins on a lock` : doing, frame };
}
