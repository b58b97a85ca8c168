import type { State } from './task.ts';

/** A regular expression in the syntax of RE2, whose matching takes time linear in the text. */
export interface Pattern {
  readonly source: string;
  /** Of `i` (either case), `m` and `s`, as in JavaScript. */
  readonly flags?: string;
}

/**
 * Which tasks to take, as plain data. `all`, `pids` and `states` add up: a task is taken when one of them names it, and
 * any is when there is none of them. The others narrow what is taken, each by itself.
 */
export interface Selection {
  /** Every process; `pids` and `states` then have no effect. */
  readonly all?: boolean;
  /** Processes by PID, in the order wanted where nothing else is selected. With `threads`, threads by TID too. */
  readonly pids?: readonly number[];
  readonly states?: readonly State[];
  /** Every thread of a process, not only its main one. */
  readonly threads?: boolean;
  /** Matches the task's name. */
  readonly command?: Pattern;
  /** Effective user ids. */
  readonly users?: readonly number[];
  /**
   * Each a path from the root, `*` within a name and `**` across them; or a name that is any part of the path
   * (`nginx.service`), or the beginning of a container's id or a pod's uid.
   */
  readonly cgroups?: readonly string[];
  /** Matches a function of the stack. */
  readonly function?: Pattern;
  /** A module of which a function is in the stack. */
  readonly module?: string;
  /** Without the tasks that idle, as far as the analysis knows. */
  readonly blocked?: boolean;
}

type Numbers = Pick<Selection, 'all' | 'pids' | 'states'>;

/** True where the selection takes tasks of any PID and state. */
export function takesAll({ all, pids = [], states = [] }: Numbers): boolean {
  return all === true || (pids.length === 0 && states.length === 0);
}

/** True where the selection names PIDs and nothing that could match any other process. */
export function isOnlyPids(selection: Numbers): boolean {
  return !takesAll(selection) && (selection.states ?? []).length === 0;
}
