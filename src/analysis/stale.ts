import type { Frame } from '../model/stack.ts';
import { functionName } from './function-name.ts';
import { wholeName } from './pattern.ts';
import { isGuess, isTelling, sleepingPrimitive } from './sleep.ts';

/**
 * Functions in which no task sleeps, but which old kernels and unwinders print inside of those where it does: pointers
 * in the entry of a wait queue, and what the scheduler, lockdep and tracing ran last.
 */
const STALE = wholeName([
  /(?:autoremove|default|woken|var)_wake_function/,
  'wake_bit_function',
  /wake_(?:atomic_t_function|up_q)/,
  /prepare_to_wait\w*/,
  'finish_wait',
  'process_timeout',
  'hrtimer_wakeup',
  'lock_timer_base',
  /(?:try_to_)?del_timer_sync/,
  /find_busiest_(?:group|queue)/,
  /(?:en|de)queue_(?:task|entity)\w*|(?:de)?activate_task/,
  /pick_next_task\w*/,
  /sched_(?:slice|clock\w*)/,
  'resched_curr',
  'check_preempt_curr',
  /update_(?:curr|load_avg|cfs_rq_\w+)/,
  /psi_(?:task|group)_\w+/,
  /do_gettimeofday|(?:__)?getnstimeofday\w*|ktime_get_(?:real_)?ts\w*|read_tsc|(?:__)?delayacct_\w+/,
  /__traceiter_sched_\w+/,
  /_{0,2}preempt_count_(?:add|sub)|srso_\w+|__x86_return_thunk/,
  /find_held_lock|print_usage_bug|check_noncircular|mark_held_locks|debug_check_no_locks_freed|print_irqtrace_events/,
  /__?lock_acquired?|lock_(?:acquired?|release)|validate_chain/,
]);
const SWITCH = /^(?:__switch_to|__schedule)$/;
/** How far from the inner end leftovers reach. */
const LEFTOVERS = 3;
const LEFTOVERS_OF_GUESSES = 10;

/**
 * Whether a frame is no call: nothing returns to the first byte of a function. Not so of the first frame and the last.
 */
export function isPointer({ offset, size }: Frame): boolean {
  return offset === 0 && size !== undefined && size > 0;
}

/**
 * The frames of a task that does not run, without those that are left over from what it did before it went to sleep.
 */
export function withoutStale(frames: readonly Frame[]): readonly Frame[] {
  const names = frames.map(({ symbol }) => functionName(symbol));
  const guesses = frames.length > 0 && frames.every(isGuess);
  const last = names.slice(0, LEFTOVERS_OF_GUESSES).findLast(isSleeping) ?? '';
  const inside = guesses ? names.indexOf(last) : names.slice(0, LEFTOVERS).findIndex((name) => SWITCH.test(name));
  const left = frames.filter((frame, at) => {
    const name = names[at] ?? '';
    const isBetween = at > 0 && at < frames.length - 1;
    return (
      !STALE.test(name) && !(isBetween && isPointer(frame)) && (at >= inside || sleepingPrimitive(name) !== undefined)
    );
  });
  return left.some(({ symbol }) => tells(functionName(symbol))) ? left : frames;
}

function tells(name: string): boolean {
  return isTelling(name) || (isSleeping(name) && sleepingPrimitive(name)?.sleep !== 'schedule');
}

function isSleeping(name: string): boolean {
  const sleep = sleepingPrimitive(name)?.sleep;
  return sleep !== undefined && sleep !== 'spin';
}
