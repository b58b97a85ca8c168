import type { Frame, Stack } from '../../model/stack.ts';
import type { Header } from './line.ts';
import type { Stamp } from './stamps.ts';

/** What was left out of the stacks that were found. */
export interface LeftOut {
  /** Frames marked `?`. If a stack has no other frames, it gets these, except those known to be left over. */
  readonly guesses: number;
  /** Tasks, frames and long lines beyond the limits: a text may be of any size. */
  readonly cut: number;
  /** Stacks that were written into one another, so that it is not sure which frames or which task are theirs. */
  readonly mixed: number;
}

/** A stack found in a text. Equal stacks of one text are the same object. */
export interface TextStack {
  /** The tasks with this stack; empty if the text names none. */
  readonly tasks: readonly Header[];
  readonly stack: Stack;
  /** Only its innermost function is known, if any: a table of ps(1) tells no more. */
  readonly innermostOnly?: true;
  /** When and where its first line was written. */
  readonly stamp: Stamp;
  /** What was left out of this stack, and between it and the previous one. */
  readonly leftOut: LeftOut;
}

/** A stack without what its finder adds. */
export interface Assembled {
  readonly tasks: readonly Header[];
  readonly frames: readonly Frame[];
  readonly stamp: Stamp;
  readonly leftOut: LeftOut;
  /** Of a task whose trace was printed into that of another one: its header may be that of the other. */
  readonly isUnclaimed: boolean;
}
