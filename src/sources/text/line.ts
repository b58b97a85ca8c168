import type { Frame } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { STATES } from '../../model/task.ts';

/** What a text says about the task of a stack. */
export interface Header {
  readonly name?: string;
  readonly tid?: number;
  /** Of its process, where the text tells both. */
  readonly pid?: number;
  readonly state?: State;
}

/** A recognized line of a text. */
export type Line =
  | { readonly kind: 'frame'; readonly frame: Frame }
  /** An address on the stack that may be left over from an earlier call. The kernel marks it with `?`. */
  | { readonly kind: 'guess'; readonly frame: Frame }
  /** A function and the one that called it. */
  | { readonly kind: 'call'; readonly callee: Frame; readonly caller: Frame }
  /** Where the CPU was, printed before the stack. */
  | { readonly kind: 'instruction'; readonly frame: Frame }
  /** A task whose stack follows. */
  | { readonly kind: 'task'; readonly header: Header }
  /** One of several tasks that share the stack that follows. */
  | { readonly kind: 'sharing-task'; readonly header: Header }
  /** The start of a stack, which belongs to the tasks named before, if any. */
  | { readonly kind: 'begin' }
  /**
   * Frames from here to `interrupt-end` belong to an interrupt, not to the task. With `above` (an NMI), the interrupt
   * came on top of what the CPU was doing.
   */
  | { readonly kind: 'interrupt'; readonly above?: true }
  | { readonly kind: 'interrupt-end' };

/**
 * Recognizes a line without log prefix; undefined if it is not in this parser's format. Never throws. Takes time linear
 * in the line.
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
