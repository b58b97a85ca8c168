import type { Frame } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { STATES } from '../../model/task.ts';

/** What a text says about the task that a stack is of. */
export interface Header {
  readonly name?: string;
  readonly tid?: number;
  /** Of its process, where the text tells both. */
  readonly pid?: number;
  readonly state?: State;
}

/** What one line of a text is, to the format that knows it. */
export type Line =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** An address found on the stack that may be left over; the kernel marks it with `?`. */
  | { readonly kind: 'guess'; readonly frame: Frame }
  /** A function and the one that called it. */
  | { readonly kind: 'call'; readonly callee: Frame; readonly caller: Frame }
  /** Where the CPU was, printed in front of the stack. */
  | { readonly kind: 'instruction'; readonly frame: Frame }
  /** A task whose stack follows. */
  | { readonly kind: 'task'; readonly header: Header }
  /** One of several tasks whose common stack follows. */
  | { readonly kind: 'sharing-task'; readonly header: Header }
  /** The stack of the tasks named before begins here; there may be none. */
  | { readonly kind: 'begin' }
  /**
   * Begin and end of frames that are of an interrupt, not of the task. The CPU was in the interrupt, unless the
   * interrupt (an NMI) came above what it was in.
   */
  | { readonly kind: 'interrupt'; readonly above?: true }
  | { readonly kind: 'interrupt-end' };

/**
 * Says what a line is; undefined for what it does not know. Lines have no time or host in front. Never throws, in time
 * linear in the line.
 */
export type LineParser = (line: string) => Line | undefined;

export function stateOf(letter: string | undefined): State | undefined {
  return STATES.find((state) => state === letter);
}

/** What a text may say of a task: of its numbers the digits, of its state the letter. */
type Parts = Partial<Readonly<Record<'name' | 'tid' | 'pid' | 'state', string | undefined>>>;

/** A header without the parts that are not known. */
export function headerOf({ name, tid, pid, state: letter }: Parts): Header {
  const state = stateOf(letter);
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    ...(tid === undefined ? {} : { tid: Number(tid) }),
    ...(pid === undefined ? {} : { pid: Number(pid) }),
    ...(state === undefined ? {} : { state }),
  };
}
