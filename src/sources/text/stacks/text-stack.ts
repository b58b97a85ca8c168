import type { Frame, Stack } from '../../../model/stack.ts';
import type { Header } from '../line.ts';
import type { Stamp } from '../stamps.ts';

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
  /** The text says that the task is hung or ran, and has neither a stack nor registers of it. */
  readonly untold?: true;
  /** When and where its first line was written. */
  readonly stamp: Stamp;
  /** What was left out of this stack, and between it and the previous one. */
  readonly leftOut: LeftOut;
}

/** Where in a text a frame is. */
export interface Place {
  /** Whether it is in a line of a log. */
  readonly isLogged: boolean;
  /** How many quote marks of a mail stand before it. */
  readonly quotes: number;
  readonly caller: string | undefined;
  /** What stands between it and the frame before. */
  readonly gap: Gap;
}

/** The lines between two frames that are none. */
export interface Gap {
  readonly lines: number;
  /** Lines of words, and the most quote marks before one of them. */
  readonly words: number;
  readonly quotes: number;
  /** Marks for what the writer has left out. */
  readonly cuts: number;
}

/** How a stack begins and ends: tells whether it is the rest of the one before. */
export interface Seam {
  /** Nothing shows that it is a stack of its own: neither a header, a title nor a mark stands before it. */
  readonly isRest: boolean;
  readonly begins: Place;
  readonly ends: Place;
  readonly endStamp: Stamp;
  /** The numbers of its outer frames, in formats that number frames. */
  readonly firstNumber: number | undefined;
  readonly lastNumber: number | undefined;
  /** Behind `Call Trace:`, and within `<TASK>` without `</TASK>`. */
  readonly isTrace: boolean;
  readonly isOpen: boolean;
  /** `</TASK>` without `<TASK>`. */
  readonly closes: boolean;
}

/** A stack without what its finder adds. */
export interface Assembled {
  readonly tasks: readonly Header[];
  readonly frames: readonly Frame[];
  readonly stamp: Stamp;
  readonly leftOut: LeftOut;
  /** Of a task whose trace was printed into that of another one: its header may be that of the other. */
  readonly isUnclaimed: boolean;
  /** There are no frames, and nothing tells that the task was in a program. */
  readonly isUntold?: boolean;
  readonly seam?: Seam;
}
