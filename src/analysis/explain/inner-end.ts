import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { type LockKind, lockKind } from './lock-kinds.ts';
import { isSleepingPrimitive, type SleepingPrimitive, sleepingPrimitive } from './sleeping-primitives.ts';

/** Where the scheduler took the CPU from a task that did not want to wait. */
const PREEMPTED = /^(?:preempt_schedule\w*|_?_?cond_resched)$/;
/** Bare addresses, the mark at the end of old stacks, and whole lines: anything but the name of a function. */
const FUNCTION = /^[A-Za-z_.$][\w.$]*$/;

/** True for functions that tell what a task is doing. */
export function isTelling(name: string): boolean {
  return FUNCTION.test(name) && !isSleepingPrimitive(name);
}

/** The kernel marks frames with `?` that may be left over from an earlier call. */
export function isGuess({ raw }: Frame): boolean {
  return /(?:^|\s)\? /.test(raw);
}

/** How a task got off the CPU. */
export interface InnerEnd {
  /** How many frames are inside of the innermost function that is no sleeping primitive; all if there is none. */
  readonly depth: number;
  /** The outermost sleeping primitive of these that tells more than `schedule`. */
  readonly primitive: SleepingPrimitive | undefined;
  /** Of the outermost of these that tells it; undefined, too, where it waits for no lock. */
  readonly lock: LockKind | undefined;
  readonly isPreempted: boolean;
  /** Whether how it sleeps is not told: /proc/PID/stack leaves out all the scheduler's functions but __switch_to. */
  readonly isHidden: boolean;
}

const SWITCH = /^__switch_to(?:_asm)?$/;

/**
 * Reads a stack from its inner end to the first function that does not sleep on behalf of any caller, or that takes a
 * lock before it waits for work: who waits for the lock does not wait for the work.
 */
export function innerEnd(frames: readonly Frame[]): InnerEnd {
  let primitive: SleepingPrimitive | undefined;
  let lock: LockKind | undefined;
  let isPreempted = false;
  let isHidden = true;
  for (const [depth, { symbol }] of frames.entries()) {
    const name = functionName(symbol);
    const found = sleepingPrimitive(name);
    const isEnd = found === undefined ? FUNCTION.test(name) : found.sleep === 'work' && primitive?.sleep === 'lock';
    if (isEnd) return { depth, primitive, lock, isPreempted, isHidden };
    if (found?.sleep === 'lock') lock = lockKind(name) ?? lock;
    const isKnown = found?.sleep === 'bit' && (primitive?.sleep === 'buffer' || primitive?.sleep === 'page');
    if (found !== undefined && !isKnown && (primitive === undefined || found.sleep !== 'schedule')) primitive = found;
    isPreempted ||= PREEMPTED.test(name);
    isHidden &&= !FUNCTION.test(name) || SWITCH.test(name);
  }
  return { depth: frames.length, primitive, lock, isPreempted, isHidden };
}

/** Whether a task at such an inner end waits, for a lock or for anything else. */
export function waits({ primitive }: InnerEnd): boolean {
  return primitive !== undefined && primitive.sleep !== 'schedule' && primitive.sleep !== 'spin';
}
