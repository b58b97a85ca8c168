import type { Frame } from '../../model/stack.ts';
import { functionName } from '../function-name.ts';
import { lockName, type WorkKind, workName } from '../lock-names/lock-name.ts';
import { lockInWords } from '../lock-names/lock-words.ts';
import { type InnerEnd, isGuess, isTelling } from './inner-end.ts';
import { subsystemOf } from './subsystem.ts';
import { RUNS_ANY } from './work.ts';

const LIKELY = ' (likely: the kernel was not sure of any frame)';

export const CALLER_UNKNOWN = ' (the stack is cut off: its caller is not known)';

/** What a sentence ends with if it relies on guesses. Of the functions of the scheduler the kernel may be sure. */
export function likelyOf(frames: readonly Frame[]): string {
  const telling = frames.filter(({ symbol }) => isTelling(functionName(symbol)));
  return (telling.length > 0 ? telling : frames).every(isGuess) ? LIKELY : '';
}

const OF_WORK = 'the function of a kernel worker';

/**
 * The innermost function that is no sleeping primitive, or, where that only runs the function of some work, words for
 * it; undefined if the stack has none.
 */
export function callerIn(frames: readonly Frame[], { depth }: InnerEnd): string | undefined {
  const frame = frames[depth];
  if (frame === undefined) return undefined;
  const name = functionName(frame.symbol);
  return RUNS_ANY.test(name) ? OF_WORK : name;
}

/** The same, and the module that it is in. */
export function callerWithModule(frames: readonly Frame[], inner: InnerEnd): string | undefined {
  const caller = callerIn(frames, inner);
  const module = frames[inner.depth]?.module;
  return caller === undefined || module === undefined ? caller : `${caller} [${module}]`;
}

/** What an unknown function belongs to, behind the name of the lock that it takes, or of the work that it waits for. */
export function byName(frame: Frame | undefined, name?: string): string {
  const subsystem = frame === undefined ? undefined : subsystemOf(frame);
  const told = [name, subsystem === undefined ? undefined : `by its name, a part of ${subsystem}`].filter(Boolean);
  return told.length === 0 ? '' : ` (${told.join('; ')})`;
}

/** Locks of which a sentence tells no more than the kind. */
const ANY_LOCK = /^a (?:mutex|real-time mutex|reader-writer lock|semaphore)\b/;

/** A sentence about any lock, with the function that takes it in the place of its holder. */
export function takenBy(held: string, taker: string | undefined): string {
  return taker === undefined ? held : held.replace(/ that another task holds$/, () => ` that ${taker} takes`);
}

/** Work of which a sentence tells no more than what runs it. */
const ANY_WORK = /^a (?:kernel worker to finish|kernel thread to exit|dedicated kernel thread to finish work)\b/;

/**
 * The name of the lock, work or thread that a task waits for, where the sentence does not tell and the function waits
 * for only this one.
 */
export function unnamed(waitsFor: string, frames: readonly Frame[], inner: InnerEnd): string | undefined {
  const caller = callerIn(frames, inner);
  if (caller === undefined) return undefined;
  const sleep = inner.primitive?.sleep;
  const module = frames[inner.depth]?.module;
  if (sleep === 'lock' && ANY_LOCK.test(waitsFor)) return lockName(caller, inner.lock, module);
  return sleep === 'work' && ANY_WORK.test(waitsFor) ? workName(caller, workKind(frames, inner), module) : undefined;
}

/** What the task waits for, where `unnamed` tells a lock that there are words for; undefined otherwise. */
export function unnamedInWords(waitsFor: string, frames: readonly Frame[], inner: InnerEnd): string | undefined {
  const lock = lockInWords(unnamed(waitsFor, frames, inner));
  return lock === undefined ? undefined : `${lock}, which another task holds`;
}

function workKind(frames: readonly Frame[], { depth }: InnerEnd): WorkKind {
  const names = frames.slice(0, depth).map(({ symbol }) => functionName(symbol));
  if (names.some((name) => name.endsWith('_workqueue'))) return 'queue';
  return names.some((name) => name.startsWith('kthread_stop')) ? 'thread' : 'work';
}

/** A rule's sentence with the caller in the place of `{caller}`, or without that part where it is not known. */
export function withCaller(waitsFor: string, caller: string | undefined): string {
  if (caller !== undefined) return waitsFor.replaceAll('{caller}', () => caller);
  const alone = waitsFor.replace(/ (?:(?:that|which) |in )\{caller\}(?: [a-z]+)*/, '');
  return alone === waitsFor ? waitsFor : `${alone}${CALLER_UNKNOWN}`;
}
