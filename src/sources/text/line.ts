import type { Reading } from '../../model/reading.ts';
import type { LockWait } from '../../model/sample.ts';
import type { Frame } from '../../model/stack.ts';
import type { State } from '../../model/task.ts';
import { STATES } from '../../model/task.ts';
import type { SumUnit } from './traced-sums.ts';

/** Longer lines are cut: their rest is left out. */
export const LONGEST_LINE = 4096;

/** What a text says about the task of a stack. */
export interface Header {
  readonly name?: string;
  readonly tid?: number;
  /** Of its process, where the text tells both. */
  readonly pid?: number;
  readonly state?: State;
  /** When it started, by a clock without a zone. */
  readonly startLocal?: string;
  /** How its process was called, where the text tells its own name, too. */
  readonly command?: Reading<string>;
  /** The line stands for a process: the text was not made with -L. */
  readonly isProcess?: true;
  /** It was on a CPU, unless its stack says that it was just giving it up. */
  readonly onCpu?: true;
  /** It ran for so long that the kernel complains: that is known without a stack. */
  readonly ranLong?: true;
  /** For how long it ran. */
  readonly ranMs?: number;
  /** These times are the least that it can be. */
  readonly atLeast?: true;
  /** The function of the work that it runs. */
  readonly work?: string;
  /** Its CPU does not even handle interrupts. */
  readonly hardLockup?: true;
  /** For how long it has been blocked, at least. */
  readonly blockedMs?: number;
  /** What a tracer has added up of it, and what that is if it is no number of times. */
  readonly sum?: number;
  readonly sumUnit?: SumUnit;
  /** The lock it waits for, if the kernel says whose it is. */
  readonly lock?: LockWait;
}

/** A recognized line of a text. */
export type Line =
  /** `number` counts from the innermost, in formats that number frames. */
  /** `isPrint`: it was printed alone. It is part of a stack only if it has the next number.
   * `isUnsure`: as the innermost function it may be left over. `isInTrace`: it is one only in a stack that has begun. */
  | {
      readonly kind: 'frame';
      readonly frame: Frame;
      readonly number?: number;
      readonly isPrint?: true;
      readonly isUnsure?: true;
      readonly isInTrace?: true;
    }
  /** An address on the stack that may be left over from an earlier call. The kernel marks it with `?`. */
  | { readonly kind: 'guess'; readonly frame: Frame; readonly isInTrace?: true }
  /** Several frames in one line. */
  | { readonly kind: 'lines'; readonly lines: readonly Line[] }
  /** A function and, unless the line is cut, the one that called it. */
  | { readonly kind: 'call'; readonly callee: Frame; readonly caller?: Frame }
  /** Where the CPU was, printed before the stack. */
  | { readonly kind: 'instruction'; readonly frame: Frame }
  /** Registers of a CPU in the kernel. */
  | { readonly kind: 'registers' }
  /** The CPU was in a program. */
  | { readonly kind: 'program' }
  /** Where the CPU was when it was interrupted, printed between the frames of the interrupt and those of the task. */
  | { readonly kind: 'exception'; readonly frame: Frame }
  /** A task that the kernel complains about: mostly, its header and its stack follow. */
  | { readonly kind: 'hung'; readonly header: Header }
  /** A task whose stack follows; with `isAnnounced`, its header does so first. */
  | { readonly kind: 'task'; readonly header: Header; readonly isAnnounced?: true }
  /** One of several tasks that share the stack that follows. */
  | { readonly kind: 'sharing-task'; readonly header: Header }
  /** More about the task named before. */
  | { readonly kind: 'about'; readonly header: Header }
  /** The task whose stack this ends. */
  | { readonly kind: 'behind'; readonly header: Header }
  /** The task of the stack that this ends or, if there is none, of the one that follows. */
  | { readonly kind: 'named'; readonly header: Header; readonly isPast?: true }
  /** What follows is another stack. `weak`: only if it follows at once; `isList`: not if several follow; `isTitle`:
   * a person or a script wrote it, so it is none in a log; `ofAll`: all tasks that follow are in this state;
   * `host`: where it was typed. */
  | {
      readonly kind: 'label';
      readonly header: Header;
      readonly weak?: true;
      readonly isList?: true;
      readonly isTitle?: true;
      readonly ofAll?: State;
      readonly host?: string;
    }
  /** The start of a stack, which belongs to the tasks named before, if any. `isTrace`: its frames follow at once. */
  | { readonly kind: 'begin'; readonly isTrace?: true }
  /** The stack that follows is not of a task that waits or runs: of the past, or of no task. */
  | { readonly kind: 'past' }
  /** `<TASK>` and `</TASK>`. */
  | { readonly kind: 'task-begin' }
  | { readonly kind: 'task-end' }
  /**
   * Frames from here to `interrupt-end` belong to an interrupt, not to the task. With `above` (an NMI), the interrupt
   * came on top of what the CPU was doing.
   */
  | { readonly kind: 'interrupt'; readonly above?: true }
  | { readonly kind: 'interrupt-end' }
  /** The frames before this belong to an interrupt. */
  | { readonly kind: 'interrupted' }
  /** A task that was named before waits for a lock. */
  | { readonly kind: 'waits'; readonly waiter: Header }
  /** The only thing known of a stack is its innermost function, if any. */
  | { readonly kind: 'row'; readonly header: Header; readonly wchan: string | undefined }
  /** A line that is part of a stack or its report, but tells nothing. */
  | { readonly kind: 'ignored' };

export const IGNORED: Line = { kind: 'ignored' };

/**
 * Recognizes a line without log prefix; undefined if it is not in this parser's format. Never throws. Takes time linear
 * in the line.
 */
export type LineParser = (line: string) => Line | undefined;

export function stateOf(letter: string | undefined): State | undefined {
  // A task that is gone was an x until 2.6.38.
  return STATES.find((state) => state === (letter === 'x' ? 'X' : letter));
}

/** What a text may say of a task: of its numbers the digits, of its state the letter. */
type Parts = Partial<Readonly<Record<'name' | 'tid' | 'pid' | 'state', string | undefined>>>;

/** A header without the parts that are not known. */
export function headerOf({ name, tid, pid, state: letter }: Parts): Header {
  const header: { name?: string; tid?: number; pid?: number; state?: State } = {};
  if (name !== undefined && name !== '') header.name = name;
  if (tid !== undefined) header.tid = Number(tid);
  if (pid !== undefined) header.pid = Number(pid);
  const state = stateOf(letter);
  if (state !== undefined) header.state = state;
  return header;
}
