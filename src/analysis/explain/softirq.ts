import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { innerEnd, isTelling } from './inner-end.ts';
import { withoutLeaves } from './leaves.ts';
import { wholeName } from './pattern.ts';

/** The functions that run softirqs, the innermost first. */
const RUNNER = wholeName(['__do_softirq', 'handle_softirqs', /do_softirq\w*/, 'call_softirq', '____do_softirq']);
/** Functions between a softirq and what the CPU did before. */
const BETWEEN = wholeName([
  /_{0,4}do_softirq\w*|call_softirq|handle_softirqs|run_ksoftirqd|smpboot_thread_fn|kthread|ret_from_fork\w*/,
  /(?:__)?irq_exit\w*|invoke_softirq|(?:__)?local_bh_enable\w*|call_on_irq_stack|asm_call_\w+|run_on_irqstack\w*/,
  /(?:asm_)?(?:sysvec_)\w+|(?:asm_)?common_interrupt|(?:smp_)?apic_timer_interrupt|el1\w*|do_IRQ|ret_from_intr/,
]);
/** What the handlers of softirqs do. */
const HANDLERS: readonly (readonly [does: string, names: RegExp])[] = [
  ['receives network packets', wholeName(['net_rx_action', '__napi_poll', 'process_backlog'])],
  ['sends network packets', wholeName(['net_tx_action'])],
  ['runs timers', wholeName([/run_timer_\w+|__run_timers|expire_timers|call_timer_fn|hrtimer_run_softirq/])],
  ['runs tasklets of drivers', wholeName([/tasklet_\w+/])],
  ['completes I/O of disks', wholeName([/blk_(?:mq_|complete_reqs|done_)\w*/])],
  ['runs RCU callbacks', wholeName([/rcu_(?:core\w*|do_batch|process_callbacks)|__rcu_process_callbacks/])],
  ['spreads tasks over CPUs', wholeName([/(?:run_rebalance_domains|rebalance_domains|sched_balance_softirq)/])],
];

const NOT_TOLD = '; what that had interrupted is not told';

/**
 * What the softirq does that a CPU handles on top of a task, or in the thread for softirqs; undefined if the stack has
 * none.
 */
export function inSoftirq(frames: readonly Frame[]): { readonly doing: string; readonly frame: Frame } | undefined {
  const names = frames.map(({ symbol }) => functionName(symbol));
  const runner = names.findIndex((name) => RUNNER.test(name));
  const outermost = frames[runner];
  if (outermost === undefined) return undefined;
  const inside = frames.slice(0, runner);
  const told = withoutLeaves(inside);
  const { depth, primitive } = innerEnd(told);
  const frame = told[depth] ?? inside[0] ?? outermost;
  const handler = names.slice(0, runner).reverse();
  const [does] = HANDLERS.find(([, functions]) => handler.some((name) => functions.test(name))) ?? [];
  const spins = primitive?.sleep === 'spin' ? ', which spins on a lock' : '';
  const behind = names.slice(runner + 1).find((name) => !BETWEEN.test(name) && isTelling(name));
  const isOwnThread = names.includes('run_ksoftirqd');
  const task = behind === undefined ? (isOwnThread ? '' : NOT_TOLD) : `; further out it is in ${behind}`;
  const what = does === undefined ? 'handles a softirq' : `handles a softirq that ${does}`;
  return { doing: `its CPU ${what}, in ${functionName(frame.symbol)}${spins}${task}`, frame };
}
