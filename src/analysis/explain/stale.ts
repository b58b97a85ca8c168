import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { isGuess, isTelling } from './inner-end.ts';
import { wholeName } from './pattern.ts';
import { sleepingPrimitive } from './sleeping-primitives.ts';

/**
 * Functions in which no task sleeps, but which old kernels and unwinders print inside of those where it does: pointers
 * in the entry of a wait queue, and what the scheduler, lockdep and tracing ran last.
 */
const STALE = wholeName([
  /(?:autoremove|default|woken|var)_wake_function/,
  'wake_bit_function',
  /(?:__)?wake_up(?:_(?:common\w*|process|state|q|bit|all|sync\w*|interruptible\w*|new_task|var|page\w*))?/,
  /try_to_wake_up|rwsem_(?:mark_)?wake|up_(?:read|write)|complete(?:_all)?|__mod_timer/,
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
  // The section of locks, from where old kernels call the function that sleeps.
  /text\.lock\.\w+/,
  /_{0,2}preempt_count_(?:add|sub)|srso_\w+|__x86_return_thunk/,
  /find_held_lock|print_usage_bug|check_noncircular|mark_held_locks|debug_check_no_locks_freed|print_irqtrace_events/,
  /__?lock_acquired?|lock_(?:acquired?|release)|validate_chain/,
]);
const SWITCH = /^(?:__switch_to|__schedule)$/;
/** What a tracer runs in the scheduler: a stack that it takes there has these at its inner end. */
const TRACER = wholeName([
  /bpf_prog_[0-9a-f]{16}\w*|bpf_trace_run\d+|__bpf_trace_\w+|bpf_get_stack\w*|bpf_dispatcher_\w+|__bpf_prog_\w+/,
  /__traceiter_\w+|trace_event_(?:raw_event_\w+|buffer_commit)|event_triggers_call|event_hist_trigger|perf_trace_\w+/,
  /perf_tp_event|perf_swevent_\w+|(?:__)?perf_event_(?:overflow|output\w*)|perf_callchain\w*|get_perf_callchain/,
]);
/** Kernels that print no sizes. */
const NO_SIZE = /\] 0x0$|\+0\}$/;
/** Functions that start I/O, and do not sleep themselves. */
const STARTS_IO = wholeName(['submit_bio', 'submit_bh', 'generic_make_request', 'as_insert_request', '__make_request']);
/** How far from the inner end leftovers reach. */
const LEFTOVERS = 3;
const LEFTOVERS_OF_GUESSES = 10;

/**
 * Whether a frame is no call: nothing returns to the first byte of a function. Not so of the first frame and the last.
 */
export function isPointer({ offset, size, raw }: Frame): boolean {
  return offset === 0 && (size === undefined ? NO_SIZE.test(raw) : size > 0);
}

/** Functions that never return: what follows the call of one may be the end of a function. */
const NO_RETURN = wholeName([
  /(?:make_task_)?do_(?:exit|task_dead)|do_group_exit|complete_and_exit|kthread_(?:complete_and_)?exit|make_task_dead/,
  /(?:__)?module_put_and_(?:kthread_)?exit|cpu_startup_entry|do_idle|panic|rewind_stack\w*|arch_cpu_idle_dead/,
]);

/**
 * Whether a frame is a pointer to the function behind the one that it names: kernels name the last byte of a call, and
 * nothing follows on the end of a function unless the call before it never returns.
 */
function isPointerBehind({ offset, size }: Frame, callee: string | undefined): boolean {
  return offset !== undefined && offset > 0 && offset === size && !NO_RETURN.test(callee ?? '');
}

/**
 * Old kernels print whatever on the stack looks like the address of a function, and mark none of it as a guess. A
 * pointer between the frames tells.
 */
export function isUnsorted(frames: readonly Frame[]): boolean {
  return frames.slice(1, -1).some(isPointer);
}

/** Functions that only sleep uninterruptibly, in state D. */
const UNINTERRUPTIBLE = wholeName([
  'wait_for_completion',
  /io_schedule|sync_buffer|__wait_on_buffer|sync_page|__lock_page|wait_on_page_bit/,
  /__down(?:_failed)?|__mutex_lock_slowpath|mutex_lock|rwsem_down_(?:read|write)_failed|__down_(?:read|write)/,
]);
const READ_CALL = /^(?:sys|vfs)_read$/;
const WRITE_CALL = /^(?:sys|vfs)_write$/;

/**
 * The frames of an unsorted stack of a task in state S, without those that contradict its state or the system call, and
 * without functions of which nothing is known: any of those may be left over.
 */
export function withoutContradictions(frames: readonly Frame[], isKnown: (name: string) => boolean): readonly Frame[] {
  const names = frames.map(({ symbol }) => functionName(symbol));
  const call = names.findLast((name) => READ_CALL.test(name) || WRITE_CALL.test(name)) ?? '';
  const [done, other] = READ_CALL.test(call) ? ['read', 'write'] : ['write', 'read'];
  const isOfOther = (name: string) => call !== '' && name.includes(other) && names.includes(name.replace(other, done));
  const left = frames.filter((frame, at) => {
    const name = names[at] ?? '';
    if (at === frames.length - 1 || isPointer(frame)) return true;
    return !UNINTERRUPTIBLE.test(name) && !isOfOther(name) && (isKnown(name) || !isTelling(name));
  });
  return left.some(({ symbol }) => isKnown(functionName(symbol))) ? left : frames;
}

/**
 * The frames of a task that does not run, without those that are left over from what it did before it went to sleep.
 */
export function withoutStale(frames: readonly Frame[]): readonly Frame[] {
  const names = frames.map(({ symbol }) => functionName(symbol));
  const guesses = frames.length > 0 && (frames.every(isGuess) || isUnsorted(frames));
  const last = names.slice(0, LEFTOVERS_OF_GUESSES).findLast(isSleeping) ?? '';
  const traced = names.findIndex((name) => !TRACER.test(name));
  const switched = names.slice(0, Math.max(LEFTOVERS, traced + 1)).findIndex((name) => SWITCH.test(name));
  const inside = guesses ? names.indexOf(last) : switched;
  const left = frames.filter((frame, at) => {
    const name = names[at] ?? '';
    const isOuter = at === frames.length - 1;
    const isDone = guesses && at === 0 && !isOuter && STARTS_IO.test(name);
    const isNoCall = !isOuter && ((at > 0 && isPointer(frame)) || isPointerBehind(frame, names[at - 1]));
    return !STALE.test(name) && !isNoCall && !isDone && (at >= inside || sleepingPrimitive(name) !== undefined);
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
