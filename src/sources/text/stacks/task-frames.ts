import type { Frame } from '../../../model/stack.ts';
import { CLONE, interruptFrames, isEntry, isScheduler, isWellKnown, reportFrames } from '../functions.ts';
import type { Header } from '../line.ts';

interface OfTask {
  readonly frames: readonly Frame[];
  /** Whether there were those of an interrupt among them. */
  readonly wasInterrupted: boolean;
}

/**
 * The frames of the task: without those of interrupts and of the functions that print stacks. The first `interrupted`
 * ones are marked as those of an interrupt.
 */
export function ofTask(frames: readonly Frame[], interrupted: number): OfTask {
  const panic = frames.findIndex(({ symbol }) => PANIC.test(symbol));
  // Of any other task it matters what it did until then.
  if (panic !== -1 && frames.some(({ symbol }) => IDLE_LOOP.test(symbol)))
    return { frames: frames.slice(panic), wasInterrupted: interrupted > 0 || interruptFrames(frames) > 0 };
  const rest = frames.slice(interrupted < frames.length ? interrupted : 0);
  const count = interruptFrames(rest);
  const entered = rest.slice(count);
  return {
    frames: [...softirqFrames(rest.slice(0, count)), ...entered.slice(reportFrames(entered))],
    wasInterrupted: interrupted + count > 0,
  };
}

const PANIC = /^(?:v?panic|nmi_panic|wait_for_panic)$/;
const IDLE_LOOP = /^(?:do_idle|cpu_idle|cpu_startup_entry)$/;
const SOFTIRQ = /^(?:__do_softirq|handle_softirqs|call_softirq|do_softirq(?:\.part\.\d+)?)$/;

/**
 * Of the frames of interrupts, those of a softirq that the CPU handles: what an interrupt leaves to be done may run for
 * long, on top of any task. None if there is no softirq among them.
 */
export function softirqFrames(frames: readonly Frame[]): readonly Frame[] {
  const at = frames.findIndex(({ symbol }) => SOFTIRQ.test(symbol));
  const ofSoftirq = frames.slice(0, at + 1);
  const inner = ofSoftirq.slice(interruptFrames(ofSoftirq));
  return inner.slice(reportFrames(inner));
}

/** Whether frames of this look are of a program: none of them is a function that the kernel is known to have. */
export function isLikeProgram(frames: readonly Frame[], look: (frame: Frame) => boolean): boolean {
  return frames.every(look) && !frames.some(({ symbol }) => isWellKnown(symbol));
}

export function hasNoSize({ size }: Frame): boolean {
  return size === undefined;
}

/** Functions between the entry of an interrupt and the scheduler, where a task is preempted. */
const PREEMPTION = /^(?:preempt_schedule_irq|trace_hardirqs_\w+|lockdep_\w+|irqentry_exit\w*|raw_irqentry_exit\w*)$/;

/**
 * Whether a task was preempted when an interrupt had ended: nothing but the scheduler is further in than the entry of
 * the interrupt, and none of its functions further out.
 */
export function isPreempted(frames: readonly Frame[]): boolean {
  const count = interruptFrames(frames);
  const inner = frames.slice(0, count).filter((frame) => !PREEMPTION.test(frame.symbol));
  const isByScheduler = inner.slice(0, -1).every(isScheduler) && inner.length > 1;
  return isByScheduler && !frames.slice(count).some(isScheduler);
}

/** As bpftrace(8) prints them. */
export function hasDecimalOffset({ raw }: Frame): boolean {
  return /\+\d+(?: \[[\w-]+\])?$/.test(raw);
}

/** `__schedule_bug` calls nothing else. */
const MOST_OF_SCHEDULER = 2;
/** Where a task goes on that has just got a CPU, with the functions that are inlined into that one. */
const SWITCHED = 'finish_task_switch';
const MOST_OF_SWITCH = 6;

/** Whether a task runs, and its frames are those of the last time that it did not. */
export function areOld(frames: readonly Frame[], wasInterrupted: boolean, header?: Header): boolean {
  const [innermost] = frames;
  const isOff = innermost !== undefined && isScheduler(innermost);
  return header?.onCpu === true && header.ranLong !== true && header.state === 'R' && isOff && !wasInterrupted;
}

/** The header without what is of use only until the stack is complete. */
export function asSeen(
  { onCpu, ranLong, ...header }: Header,
  frames: readonly Frame[],
  wasInterrupted: boolean,
): Header {
  const innermost = frames[0];
  const isOnCpu = onCpu === true || ranLong === true;
  // The scheduler, too, reports tasks.
  const hasSwitched = frames.slice(0, MOST_OF_SWITCH).some(({ symbol }) => symbol.replace(CLONE, '') === SWITCHED);
  const isAsleep = frames.slice(0, MOST_OF_SCHEDULER).some(isScheduler) && !hasSwitched;
  const ran = innermost === undefined ? isOnCpu : (isOnCpu || wasInterrupted) && !isAsleep;
  return header.state === undefined && ran ? { ...header, state: 'R' } : header;
}

/** Two frames in a row are alike by chance. */
const LEAST_PAIRS = 3;

/** Whether each frame stands there twice, one behind the other. */
export function isDoubled(frames: readonly Frame[]): boolean {
  if (frames.length % 2 !== 0 || frames.length < 2 * LEAST_PAIRS) return false;
  return frames.every(({ symbol, offset }, at) => {
    const other = frames[at % 2 === 0 ? at + 1 : at - 1];
    return other?.symbol === symbol && other.offset === offset;
  });
}

/** Kinds of functions that occur twice in a row where two traces were written into one another. */
const LEAST_DOUBLED = 2;
/** Functions that no stack has twice. */
const ONCE = new Set(['__schedule', 'kthread', 'worker_thread', 'do_syscall_64', 'invoke_syscall', 'el0_svc']);
/** A kernel thread makes no system calls. */
const OF_THREADS = /^(?:kthread|ret_from_fork\w*|worker_thread)$/;
const OF_CALLS = /^(?:do_syscall_\w+|entry_SYSCALL_64\w*|el0_svc\w*|invoke_syscall|x64_sys_call|system_call_fastpath)$/;

/**
 * Whether these are the frames of two stacks in turn: one of a thread and one of a system call, a function that no
 * stack has twice, or several functions that stand twice in a row, one of which is of the scheduler or of the entry
 * into the kernel, which never call themselves.
 */
export function isAlternating(frames: readonly Frame[]): boolean {
  const doubled = new Set<string>();
  const seen = new Set<string>();
  let isSure = false;
  for (const [at, frame] of frames.entries()) {
    const { symbol, offset, size } = frame;
    // A pointer to the start of a function is no call of it.
    if (size === undefined || offset === 0) continue;
    if (ONCE.has(symbol) && seen.has(symbol)) return true;
    seen.add(symbol);
    const next = frames[at + 1];
    if (next?.symbol !== symbol || next.offset !== offset) continue;
    doubled.add(symbol);
    isSure ||= isScheduler(frame) || isEntry(frame);
  }
  if (isSure && doubled.size >= LEAST_DOUBLED) return true;
  const names = [...seen];
  return names.some((name) => OF_THREADS.test(name)) && names.some((name) => OF_CALLS.test(name));
}
