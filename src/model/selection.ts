import type { Field } from './fields.ts';
import type { Reading } from './reading.ts';
import type { Stack } from './stack.ts';
import type { State } from './task.ts';

/**
 * Which tasks to take. `all`, `pids` and `states` add up: a task is taken when one of them names it, and any is when
 * there is none of them. The others narrow what is taken, each by itself.
 */
export interface Selection {
  /** Every process; `pids` and `states` then say nothing. */
  readonly all?: boolean;
  /** Processes by PID, in the order wanted where nothing else is selected. With `threads`, threads by TID too. */
  readonly pids?: readonly number[];
  readonly states?: readonly State[];
  /** Every thread of a process, not only its main one. */
  readonly threads?: boolean;
  /** Matches the task's name. */
  readonly command?: TextPattern;
  /** Effective user ids. */
  readonly users?: readonly number[];
  /** Matches one of the paths that a task's control group has in the hierarchies there are. */
  readonly cgroup?: CgroupPattern;
  /** Matches a function of the stack. */
  readonly function?: TextPattern;
  /** A module of which a function is in the stack. */
  readonly module?: string;
  /** Without the tasks that idle, as far as the analysis knows. */
  readonly blocked?: boolean;
}

export type CgroupPattern = (path: string) => boolean;

/**
 * What decides on a text. A RegExp without the flags g and y is one; the command line's own take time linear in the
 * text, whatever the expression.
 */
export interface TextPattern {
  /** As it was written. */
  readonly source: string;
  /** Of a RegExp. */
  readonly flags?: string;
  test(text: string): boolean;
}

/** How a sample is to be taken. */
export interface SampleOptions {
  /** What is to be read of each task beside its name, state, stack and command line. */
  readonly fields?: readonly Field[];
}

/** True where the selection takes tasks of any PID and state. */
export function takesAll({ all, pids = [], states = [] }: Selection): boolean {
  return all === true || (pids.length === 0 && states.length === 0);
}

/** True where the selection names PIDs and nothing that could match any other process. */
export function isOnlyPids(selection: Selection): boolean {
  return !takesAll(selection) && (selection.states ?? []).length === 0;
}

/**
 * Whether a stack has the function and the module that the selection asks for; one that could not be read has neither.
 */
export function takesStack({ function: pattern, module }: Selection, stack: Reading<Stack>): boolean {
  if (pattern === undefined && module === undefined) return true;
  if ('unread' in stack) return false;
  const { frames } = stack.value;
  if (pattern !== undefined && !frames.some(({ symbol }) => pattern.test(symbol))) return false;
  return module === undefined || frames.some((frame) => frame.module === module);
}
