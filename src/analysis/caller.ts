import type { Frame } from '../model/stack.ts';
import { functionName } from './function-name.ts';
import { type InnerEnd, isGuess, isTelling } from './inner-end.ts';
import { lockName } from './lock-names/lock-name.ts';
import { subsystemOf } from './subsystem.ts';

const LIKELY = ' (likely: the kernel was not sure of any frame)';

export const CALLER_UNKNOWN = ' (the stack is cut off: its caller is not known)';

/** What a sentence ends with if it relies on guesses. Of the functions of the scheduler the kernel may be sure. */
export function likelyOf(frames: readonly Frame[]): string {
  const telling = frames.filter(({ symbol }) => isTelling(functionName(symbol)));
  return (telling.length > 0 ? telling : frames).every(isGuess) ? LIKELY : '';
}

/** The innermost function that is no sleeping primitive; undefined if the stack has none. */
export function callerIn(frames: readonly Frame[], { depth }: InnerEnd): string | undefined {
  const frame = frames[depth];
  return frame === undefined ? undefined : functionName(frame.symbol);
}

/** The same, and the module that it is in. */
export function callerWithModule(frames: readonly Frame[], inner: InnerEnd): string | undefined {
  const caller = callerIn(frames, inner);
  const module = frames[inner.depth]?.module;
  return caller === undefined || module === undefined ? caller : `${caller} [${module}]`;
}

/** What an unknown function belongs to, behind what is known of the lock that it takes. */
export function byName(frame: Frame | undefined, lock?: string): string {
  const subsystem = frame === undefined ? undefined : subsystemOf(frame);
  const told = [lock, subsystem === undefined ? undefined : `by its name, a part of ${subsystem}`].filter(Boolean);
  return told.length === 0 ? '' : ` (${told.join('; ')})`;
}

/** Locks of which a sentence tells no more than the kind. */
const ANY_LOCK = /^a (?:mutex|real-time mutex|reader-writer lock|semaphore)\b/;

/** The name of the lock that a task waits for, where the sentence does not tell and the function takes only this one. */
export function unnamedLock(waitsFor: string, frames: readonly Frame[], inner: InnerEnd): string | undefined {
  const caller = callerIn(frames, inner);
  const isUnnamed = inner.primitive?.sleep === 'lock' && ANY_LOCK.test(waitsFor);
  return caller === undefined || !isUnnamed ? undefined : lockName(caller, inner.lock);
}

/** A rule's sentence with the caller in the place of `{caller}`, or without that part where it is not known. */
export function withCaller(waitsFor: string, caller: string | undefined): string {
  if (caller !== undefined) return waitsFor.replaceAll('{caller}', () => caller);
  const alone = waitsFor.replace(/ (?:(?:that|which) |in )\{caller\}(?: [a-z]+)*/, '');
  return alone === waitsFor ? waitsFor : `${alone}${CALLER_UNKNOWN}`;
}
