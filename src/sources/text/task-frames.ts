import type { Frame } from '../../model/stack.ts';
import { interruptFrames, isEntry, isScheduler, isWellKnown, reportFrames } from './functions.ts';
import type { Header } from './line.ts';

/**
 * The frames of the task: without those of interrupts and of the functions that print stacks. The first `interrupted`
 * ones are marked as those of an interrupt.
 */
export function ofTask(frames: readonly Frame[], interrupted: number): readonly Frame[] {
  const rest = frames.slice(interrupted < frames.length ? interrupted : 0);
  const entered = rest.slice(interruptFrames(rest));
  return entered.slice(reportFrames(entered));
}

/** Whether frames of this look are of a program: none of them is a function that the kernel is known to have. */
export function isLikeProgram(frames: readonly Frame[], look: (frame: Frame) => boolean): boolean {
  return frames.every(look) && !frames.some(({ symbol }) => isWellKnown(symbol));
}

export function hasNoSize({ size }: Frame): boolean {
  return size === undefined;
}

/** As bpftrace(8) prints them. */
export function hasDecimalOffset({ raw }: Frame): boolean {
  return /\+\d+(?: \[[\w-]+\])?$/.test(raw);
}

/** The header without what is of use only until the stack is complete. */
export function asSeen(
  { onCpu, ranLong, ...header }: Header,
  frames: readonly Frame[],
  wasInterrupted: boolean,
): Header {
  const innermost = frames[0];
  const isOnCpu = onCpu === true || ranLong === true;
  const ran = innermost === undefined ? isOnCpu : (isOnCpu || wasInterrupted) && !isScheduler(innermost);
  return header.state === undefined && ran ? { ...header, state: 'R' } : header;
}

/** Kinds of functions that occur twice in a row where two traces were written into one another. */
const LEAST_DOUBLED = 2;

/**
 * Whether these are the frames of two stacks in turn: several functions stand twice in a row, and one of them is of the
 * scheduler or of the entry into the kernel, which never call themselves.
 */
export function isAlternating(frames: readonly Frame[]): boolean {
  const doubled = new Set<string>();
  let isSure = false;
  for (const [at, frame] of frames.entries()) {
    const { symbol, offset, size } = frame;
    const next = frames[at + 1];
    if (size === undefined || next?.symbol !== symbol || next.offset !== offset) continue;
    doubled.add(symbol);
    isSure ||= isScheduler(frame) || isEntry(frame);
  }
  return isSure && doubled.size >= LEAST_DOUBLED;
}
